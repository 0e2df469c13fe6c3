"""What can be done, as (resource, verb) pairs: the one vocabulary of browser, API and docker."""

from enum import Enum


class Action(Enum):
    REGISTRY_READ = ("registry", "read")
    REGISTRY_MANAGE = ("registry", "manage")
    CATALOG_LIST = ("catalog", "list")
    CONTENT_READ = ("content", "read")

    @property
    def resource(self) -> str:
        return self.value[0]

    @property
    def verb(self) -> str:
        return self.value[1]
