"""Checks what commands printed against their schemas: python schemas.py FOLDER OUTPUTS, where each line of OUTPUTS has the name of a schema and an output.

Fails where an output is not as its schema says, where a schema has no output or a property that none of its outputs has, and where a schema lets through an
output with a property less, a property more, or a number that is a text.
"""

import copy
import json
import pathlib
import sys

import jsonschema

folder, outputs = pathlib.Path(sys.argv[1]), [json.loads(line) for line in open(sys.argv[2])]
schemas = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def properties(schema):
    """Names of properties anywhere in a schema, but for those of its `PhaseTime`, which one command or another leaves null, and the requests, which only a command with a URL has."""
    names = set()
    if isinstance(schema, dict):
        names |= set(schema.get("properties", {})) - {"requests"}
        names = names.union(*(properties(value) for key, value in schema.items() if key not in ("PhaseTime", "Requests")))
    elif isinstance(schema, list):
        names = names.union(*map(properties, schema))
    return names


def met(output):
    """Names of properties anywhere in an output that are not null."""
    names = set()
    if isinstance(output, dict):
        names = {key for key, value in output.items() if value is not None}.union(*map(met, output.values()))
    elif isinstance(output, list):
        names = names.union(*map(met, output))
    return names


def objects(value, path=()):
    """The paths of all objects in an output, its own among them."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from objects(inner, path + (key,))
    elif isinstance(value, list):
        for place, inner in enumerate(value[:2]):
            yield from objects(inner, path + (place,))


# Objects whose properties are names of types, and properties that are left out where there is no such type.
BY_NAME, OPTIONAL = {"types", "type_numbers"}, {"clicks", "add_to_carts", "orders"}


def at(value, path):
    for step in path:
        value = value[step]
    return value


def changed(output, optional):
    """Outputs that are not as they should be. `optional` are further numbers that an output may lack."""
    for path in objects(output):
        if path and path[-1] in BY_NAME:
            continue
        more = copy.deepcopy(output)
        at(more, path)["one_more"] = 1
        yield more
        for key, value in at(output, path).items():
            if isinstance(value, int) and not isinstance(value, bool):
                text = copy.deepcopy(output)
                at(text, path)[key] = str(value)
                yield text
                if key not in OPTIONAL | optional:
                    less = copy.deepcopy(output)
                    del at(less, path)[key]
                    yield less


for name, schema in schemas.items():
    jsonschema.Draft202012Validator.check_schema(schema)
for line in outputs:
    validator = jsonschema.Draft202012Validator(schemas[line["schema"]])
    error = jsonschema.exceptions.best_match(validator.iter_errors(line["output"]))
    if error is not None:
        sys.exit(f"{line['schema']}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
    # Only the rows of a sharded store have a number of shards.
    optional = {"shards"} if line["schema"] == "manifest" else set()
    for wrong in changed(line["output"], optional):
        if validator.is_valid(wrong):
            sys.exit(f"{line['schema']}: lets through {json.dumps(wrong)[:400]}")
for name, schema in schemas.items():
    never = properties(schema) - met([line["output"] for line in outputs if line["schema"] == name])
    if never:
        sys.exit(f"{name}: no output has {', '.join(sorted(never))}")
print(f"{len(outputs)} outputs of {len(schemas)} commands are as their schemas say")
