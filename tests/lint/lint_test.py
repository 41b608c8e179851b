#!/usr/bin/env python3
"""The lints find what is planted, and nothing else."""

import pathlib
import tempfile
import unittest

import house
import layers

HEADER = "#pragma once\n\n/// What it is for.\n"


class Lint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def found(self, lint):
        return lint.check(self.root)[1]

    def test_includes_along_the_arrows_pass(self):
        for path, included in (("common/wire/a.cpp", "schema/lab.capnp.h"),
                               ("agent/core/a.cpp", "common/base/a.h"),
                               ("agent/kinds/zfs/a.cpp", "agent/kinds/support/a.h"),
                               ("agent/kinds/zfs/b.cpp", "agent/kinds/kind.h"),
                               ("agent/kinds/all.cpp", "agent/kinds/zfs/a.h"),
                               ("controller/cli/a.cpp", "controller/lab/a.h"),
                               ("controller/rehearsal/a.cpp", "agent/core/a.h"),
                               ("tests/unit/a_test.cpp", "controller/lab/a.h")):
            self.plant(path, f'#include <vector>\n#include "{included}"\n')
        self.assertEqual(layers.check(self.root), (8, []))

    def test_includes_against_the_arrows_are_found(self):
        for path, included in (("agent/core/a.cpp", "controller/lab/lab.h"),
                               ("controller/cli/a.cpp", "agent/core/core.h"),
                               ("common/wire/a.h", "agent/core/core.h"),
                               ("agent/core/b.cpp", "tests/support/must.h"),
                               ("agent/kinds/zfs/a.cpp", "agent/kinds/disks/a.h"),
                               ("agent/kinds/support/a.h", "agent/kinds/zfs/a.h"),
                               ("agent/core/c.cpp", "core.h"),
                               ("agent/core/d.cpp", "agent/../controller/lab/lab.h")):
            with self.subTest(path):
                self.plant(path, f'#include <vector>\n  #  include "{included}"\n')
                found = self.found(layers)
                (self.root / path).unlink()
                self.assertEqual(len(found), 1)
                self.assertIn(f'{path}: #include "{included}"', found[0])

    def test_headers_that_say_what_they_are_for_pass(self):
        self.plant("common/base/a.h", HEADER)
        self.assertEqual(house.check(self.root), (1, []))

    def test_headers_that_do_not_are_found(self):
        for text in ("", "/// What.\n", "#pragma once\n", "#pragma once\n#include <vector>\n/// What.\n",
                     "#pragma once\n// What.\n"):
            with self.subTest(text):
                self.plant("agent/core/a.h", text)
                self.assertEqual(len(self.found(house)), 1)

    def test_long_files_are_found(self):
        self.plant("agent/core/a.cpp", "\n" * 400)
        self.assertEqual(self.found(house), [])
        self.plant("agent/core/a.cpp", "\n" * 401)
        self.assertEqual(len(self.found(house)), 1)

    def test_foreign_places_are_found_in_any_file(self):
        for place in ("/wor" "k/main/a", "https://registr" "y.example.org/x", "https://pypi.or" "g/simple"):
            with self.subTest(place):
                self.plant("docs/a.md", f"one\nsee {place}\n")
                self.assertEqual(len(self.found(house)), 1)
                self.assertIn("line 2", self.found(house)[0])

    def test_parsers_that_are_not_fuzzed_are_found(self):
        self.plant("agent/a/a.h", HEADER + "Rows parse_rows(std::string_view text);\n")
        self.assertEqual(len(self.found(house)), 1)
        self.plant("tests/fuzz/tool_output_fuzz.cpp", "parse_row(text); parse_rows(text);\n")
        self.assertEqual(self.found(house), [])
        self.plant("tests/fuzz/tool_output_fuzz.cpp", "parse_row(text);\n")
        self.assertIn("parse_rows", self.found(house)[0])

    def test_nothing_to_look_at_is_a_failure(self):
        with self.assertRaises(SystemExit) as end:
            layers.tree.finish("layers", *layers.check(self.root))
        self.assertNotIn(end.exception.code, (0, None))


if __name__ == "__main__":
    unittest.main()
