"""Fields of forms, whoever wrote them, with the classes that our stylesheet knows."""

from __future__ import annotations

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def styled(field: BoundField, described: bool = False) -> SafeString:
    """The field's input alone; label, hint and errors are components/field.html's, which says that
    it is `described` by them. Elsewhere they are not there, and nothing may point at them."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        name = "form-check-input"
    elif isinstance(widget, forms.Select):
        name = "form-select"
    else:
        name = "form-control"
    # allauth says everything twice, in the label and here; what is typed hides the second.
    widget.attrs.pop("placeholder", None)
    if described or "aria-describedby" in widget.attrs:
        return field.as_widget(attrs={"class": name})
    # Django points at hint and errors unless the widget names something else.
    widget.attrs["aria-describedby"] = "nothing"
    try:
        return field.as_widget(attrs={"class": name, "aria-describedby": False})
    finally:
        del widget.attrs["aria-describedby"]
