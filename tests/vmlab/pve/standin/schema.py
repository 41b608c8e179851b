"""Values against schemas, with the words that Proxmox has for each mistake.

A property is a dict with `type` (string, integer, number, boolean, array), and as needed `optional`, `format` (a function that
raises ValueError, or a dict of properties for a property string), `list` (the function is for each element),
`pattern`, `minimum`, `maximum`, `max_length`, `min_length`, `enum`, `default_key`, `requires`.
"""

import re

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"


class FormatError(ValueError):
    """A property string that does not fit; its message has a line for each part."""


def parse_boolean(text):
    if re.fullmatch(r"1|on|yes|true", text, re.IGNORECASE):
        return "1"
    if re.fullmatch(r"0|off|no|false", text, re.IGNORECASE):
        return "0"
    return None


def split_list(text):
    return [part for part in re.split(r"[,;\s\0]+", text) if part]


def is_number(text):
    return re.fullmatch(r"[+-]?(\d+\.\d+|\d+\.|\.\d+|\d+)([eE][+-]?\d+)?", text) is not None


def _type_error(value, kind):
    fits = {"boolean": lambda: value in ("0", "1"), "integer": lambda: re.fullmatch(r"[+-]?\d+", value),
            "number": lambda: is_number(value)}.get(kind, lambda: True)
    return None if fits() else f"type check ('{kind}') failed - got '{value}'"


def _format_error(value, schema, path):
    checks = schema.get("format")
    try:
        if isinstance(checks, dict):
            parse_property_string(value, checks, path)
        elif checks:
            for part in split_list(value) if schema.get("list") else [value]:
                checks(part)
    except ValueError as error:
        return f"invalid format - {error}\n"
    return None


def _limits_error(value, schema):
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        return "value does not match the regex pattern"
    if len(value) > schema.get("max_length", len(value)):
        return f"value may only be {schema['max_length']} characters long"
    if len(value) < schema.get("min_length", 0):
        return f"value must be at least {schema['min_length']} characters long"
    if is_number(value):
        if "maximum" in schema and float(value) > schema["maximum"]:
            return f"value must have a maximum value of {schema['maximum']}"
        if "minimum" in schema and float(value) < schema["minimum"]:
            return f"value must have a minimum value of {schema['minimum']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"value '{value}' does not have a value in the enumeration '{', '.join(schema['enum'])}'"
    return None


def value_error(value, schema, path):
    """What is wrong with a value, or None."""
    if isinstance(value, list):
        return next((found for found in (value_error(part, {**schema, "type": "string"}, path) for part in value)
                     if found), None)
    return _type_error(value, schema["type"]) or _format_error(value, schema, path) or _limits_error(value, schema)


def object_errors(values, properties, path=""):
    """All that is wrong with an object, by the name of the property."""
    errors = {}

    def name(key):
        return f"{path}.{key}" if path else key
    for key, schema in properties.items():
        if key not in values:
            if not schema.get("optional"):
                errors[name(key)] = "property is missing and it is not optional"
        elif found := value_error(values[key], schema, name(key)):
            errors[name(key)] = found
        elif "requires" in schema and schema["requires"] not in values:
            errors[name(schema["requires"])] = f"missing property required by '{name(key)}'"
    for key in values:
        if key not in properties:
            errors[name(key)] = UNKNOWN
    return errors


def _default_key(properties):
    return next((key for key, schema in properties.items() if schema.get("default_key")), None)


def parse_property_string(text, properties, path=""):
    """`value,key=value,...` as a dict of strings."""
    values = {}
    default = _default_key(properties)
    for part in text.split(","):
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        if equals and not (key and value):
            raise FormatError("missing key in comma-separated list property")
        if not equals:
            key, value = default, part
            if default is None:
                raise FormatError("value without key, but schema does not define a default key")
        if key in values:
            raise FormatError(f"duplicate key in comma-separated list property: {key}")
        if properties.get(key, {}).get("type") == "boolean":
            value = parse_boolean(value) or value
        values[key] = value
    errors = object_errors(values, properties, path)
    if errors:
        raise FormatError("format error\n" + "".join(f"{key}: {what}\n" for key, what in sorted(errors.items())).rstrip("\n"))
    return values


def print_property_string(values, properties, skip=()):
    """The order is Proxmox's: the default key, then what is required, then the rest by name."""
    default = _default_key(properties)
    keys = sorted(key for key in values if key != default and key not in skip and values[key] is not None)
    keys.sort(key=lambda key: bool(properties[key].get("optional")))
    parts = [values[default]] if default and default in values else []
    return ",".join(parts + [f"{key}={values[key]}" for key in keys])


def parse_size(text):
    """Bytes, or None."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT])?(?:iB)?", text)
    if not found or (text.endswith("iB") and not found[2]):
        return None
    return int(float(found[1]) * 1024 ** (" KMGT".index(found[2]) if found[2] else 0))


def format_size(size):
    size = int(size)
    for unit in ("", "K", "M", "G"):
        if size % 1024 or size == 0:
            return f"{size}{unit}"
        size //= 1024
    return f"{size}T"
