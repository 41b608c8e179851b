#!/usr/bin/env python3
"""The comparison itself: what differs is told, and what a rule excuses is not."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import compare  # noqa: E402
from support import case  # noqa: E402


def line(argv, out="", **more):
    return {"script": "test", "line": 1, "argv": argv.split(), "status": 0, "out": out, "err": "", **more}


class Compare(unittest.TestCase):
    def fields(self, argv, real, simulated, **more):
        """Those that differ, of two answers to one command."""
        differences, count = compare.compare([line(argv, real)], [line(argv, simulated, **more)])
        self.assertEqual(count, 1)
        return [difference.field for difference in differences]

    def test_a_table_is_compared_by_its_rows_and_columns(self):
        argv = "zfs list -Hp -r -t filesystem -o name,guid,mounted rpool"
        self.assertEqual(self.fields(argv, "rpool\t1\tyes\nrpool/a\t2\tno\n", "rpool\t1\tno\n"),
                         ["out rpool.mounted", "out rpool/a.", "out rpool/a.guid", "out rpool/a.mounted"])

    def test_json_is_compared_as_a_tree(self):
        devices = [{"kname": "sda", "size": 1, "mountpoints": ["/a", "/b"]}, {"kname": "sdb", "size": 2}]
        other = [{"kname": "sdb", "size": 2}, {"kname": "sda", "size": 3, "mountpoints": ["/b"]}]
        self.assertEqual(self.fields("lsblk --json", json.dumps({"blockdevices": devices}), json.dumps({"blockdevices": other})),
                         ["out blockdevices[sda].mountpoints[/a]", "out blockdevices[sda].size"])

    def test_status_and_words_count_as_well(self):
        self.assertEqual(self.fields("zfs snapshot a@b", "", "", status=1, err="cannot\n"), ["err cannot", "status"])
        self.assertEqual(self.fields("zfs snapshot a@b", "", "", fault="unsupported", what="unknown"), ["fault", "what"])

    def test_what_only_one_was_asked_is_told(self):
        differences, _ = compare.compare([line("zfs version")], [])
        self.assertEqual([difference.field for difference in differences], ["asked"])

    def test_what_is_asked_again_counts_at_first_and_at_last(self):
        real = [line("zpool status", text) for text in ("begun", "half", "done")]
        differences, count = compare.compare(real, [line("zpool status", text) for text in ("begun", "other")])
        self.assertEqual((len(differences), count), (1, 2))

    def test_of_an_answer_about_a_name_counts_what_it_says(self):
        argv = "dig -r @10.0.0.1 -t A -q www.example"
        said = ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {}, id: {}\n;; flags: qr {}; QUERY: 1, ANSWER: 1\n\n" \
               ";; ANSWER SECTION:\n{}.\t\t300\tIN\tA\t{}\n"
        real = said.format("NOERROR", 17, "aa rd ra", "WWW.example", "10.0.0.2")
        self.assertEqual(self.fields(argv, real, said.format("NOERROR", 18, "rd ra", "www.example", "10.0.0.2")), [])
        self.assertEqual(self.fields(argv, real, said.format("SERVFAIL", 17, "aa rd", "www.example", "10.0.0.3")),
                         ["out looks further", "out status", "out www.example. A 10.0.0.2", "out www.example. A 10.0.0.3"])
        self.assertEqual(self.fields(argv, ";; no servers could be reached\n", ";; timed out\n"), ["out complaint"])

    def test_what_was_counted_and_how_long_it_took_does_not_count(self):
        rules = [{"nftables": [{"rule": {"expr": [*counted, {verdict: None}]}}]}
                 for counted, verdict in (([{"counter": {"packets": 1}}], "drop"), ([], "drop"), ([], "accept"))]
        real, same, other = map(json.dumps, rules)
        self.assertEqual(self.fields("nft --json list ruleset", real, same), [])
        self.assertNotEqual(self.fields("nft --json list ruleset", real, other), [])
        took = "curl: (7) Failed to connect to {} port 22 after {} ms: Couldn't connect to server\n"
        differences, _ = compare.compare([line("curl", err=took.format("a", 3))], [line("curl", err=took.format("a", 0))])
        self.assertEqual(differences, [])
        differences, _ = compare.compare([line("curl", err=took.format("a", 3))], [line("curl", err=took.format("b", 0))])
        self.assertEqual(len(differences), 2)

    def test_rules_excuse_no_more_than_they_say(self):
        argv = "zfs list -Hp -r -t snapshot -o name,creation,userrefs rpool"
        self.assertEqual(self.fields(argv, "rpool@a\t1796024541\t1\n", "rpool@a\t1796024534\t1\n"), [])
        self.assertEqual(self.fields(argv, "rpool@a\t1796024541\t1\n", "rpool@a\t1\t2\n"),
                         ["out rpool@a.creation", "out rpool@a.userrefs"])


if __name__ == "__main__":
    case.main()
