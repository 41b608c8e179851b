#!/usr/bin/env python3
"""The JSON Schema of lab.toml is a schema, takes the reference lab, and refuses broken ones.

Usage: json_schema_test.py ROOT COMMAND...   (the command prints the schema)
"""

import copy
import json
import pathlib
import subprocess
import sys
import tomllib
import unittest

import jsonschema

ROOT = pathlib.Path(sys.argv[1])
COMMAND = sys.argv[2:]


class JsonSchema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        printed = subprocess.run(COMMAND, check=True, capture_output=True).stdout
        cls.schema = json.loads(printed)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)
        cls.lab = tomllib.loads((ROOT / "examples/z640/lab.toml").read_text())

    def mistakes(self, lab):
        return [error.message for error in self.validator.iter_errors(lab)]

    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.assertEqual(self.schema["$schema"], jsonschema.Draft202012Validator.META_SCHEMA["$id"])

    def test_every_property_has_a_description(self):
        for name, definition in self.schema["$defs"].items():
            for key, value in definition["properties"].items():
                self.assertTrue(value.get("description"), f"{name}.{key}")

    def test_the_reference_lab_is_valid(self):
        self.assertEqual(self.mistakes(self.lab), [])

    def test_accepted_labs_are_valid(self):
        accepted = [path for path in sorted((ROOT / "tests/golden/lab").glob("*.toml"))
                    if not path.with_suffix(".txt").read_text()]
        self.assertTrue(accepted)
        for path in accepted:
            with self.subTest(path.name):
                self.assertEqual(self.mistakes(tomllib.loads(path.read_text())), [])

    def test_labs_broken_by_the_schema_are_refused(self):
        for name in ("unknown_keys", "wrong_types", "numbers_out_of_range", "enum_values", "patterns",
                     "missing_keys", "missing_tables", "empty_texts", "audit_sections", "unions",
                     "durations_and_sizes", "table_for_list", "list_for_table"):
            with self.subTest(name):
                text = (ROOT / f"tests/golden/lab/{name}.toml").read_text()
                self.assertNotEqual(self.mistakes(tomllib.loads(text)), [])

    def test_every_single_mistake_is_refused(self):
        def task(lab):
            return lab["plan"]["phases"][0]["tracks"][0]["steps"][0]

        breaks = {
            "key": lambda lab: lab.update(colour="red"),
            "required": lambda lab: lab.pop("name"),
            "type": lambda lab: lab.update(name=5),
            "pattern": lambda lab: lab.update(name="My Lab"),
            "enum": lambda lab: lab["pools"][0].update(layout="raidz9"),
            "unset": lambda lab: lab["pools"][0].update(layout="unset"),
            "range": lambda lab: lab["guests"][0].update(vmid=99),
            "size": lambda lab: lab["guests"][0].update(memory="2 gigs"),
            "duration": lambda lab: task(lab).update(deadline="soon"),
            "section": lambda lab: lab["hosts"][0].update(expect=["weather"]),
            "no kind": lambda lab: task(lab).update(task={}),
            "two kinds": lambda lab: task(lab).update(task={"audit_zfs": {}, "audit_pci": {}}),
            "wrong kind": lambda lab: task(lab).update(task={"audit_zsf": {}}),
            "parameter": lambda lab: task(lab).update(task={"audit_zfs": {"pool": "tank"}}),
            "empty list": lambda lab: lab["plan"].update(phases=[]),
        }
        for name, break_it in breaks.items():
            with self.subTest(name):
                lab = copy.deepcopy(self.lab)
                break_it(lab)
                self.assertNotEqual(self.mistakes(lab), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
