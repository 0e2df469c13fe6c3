"""Fields of forms, whoever wrote them, with the classes that our stylesheet knows."""

from __future__ import annotations

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def styled(field: BoundField) -> SafeString:
    """The field's input alone; label, hint and errors are components/field.html's."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        name = "form-check-input"
    elif isinstance(widget, forms.Select):
        name = "form-select"
    else:
        name = "form-control"
    # allauth says everything twice, in the label and here; what is typed hides the second.
    widget.attrs.pop("placeholder", None)
    return field.as_widget(attrs={"class": name})
