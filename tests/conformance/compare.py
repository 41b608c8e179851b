"""What a real machine and a simulated one answered to the same commands, compared field by field."""

import collections
import json
import re

from rules import RULES

# What tells the members of a list apart, in JSON that programs print.
NAMES = ("unit_file", "unit", "ifname", "kname", "vmid", "storage", "volid", "device", "dst", "name", "destination", "address")
GET_COLUMNS = "name,property,value,source"
# A field that one side has not.
NOTHING = "(nothing)"

Difference = collections.namedtuple("Difference", "where command field real simulated")


# ---- answers as fields: {"rpool.guid": "1234"}

def numbered(pairs):
    """Fields by their names; of several with one name, the second has a number."""
    fields, count = {}, collections.Counter()
    for name, value in pairs:
        count[name] += 1
        fields[name if count[name] == 1 else f"{name}#{count[name]}"] = value
    return fields


def of_tree(value, path=""):
    """The leaves of JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from of_tree(inner, f"{path}.{key}" if path else key)
        if not value:
            yield path, "{}"
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, str):
                # Which there are counts, not the order.
                yield f"{path}[{inner.strip()}]", "is there"
                continue
            name = next((inner[key] for key in NAMES if inner.get(key)), index) if isinstance(inner, dict) else index
            yield from of_tree(inner, f"{path}[{name}]")
        if not value:
            yield path, "[]"
    else:
        yield path, timeless(value.strip()) if isinstance(value, str) else value


def column_names(argv):
    """Of a table that zfs or zpool prints for programs."""
    if "-o" in argv and "send" not in argv:
        return argv[argv.index("-o") + 1].split(",")
    return GET_COLUMNS.split(",") if argv[1] == "get" else []


def of_table(argv, text):
    names = ["name", "property", "time"] if argv[1] == "holds" else column_names(argv)
    for number, line in enumerate(text.splitlines(), 1):
        row = line.split("\t")
        columns = names if len(names) == len(row) else [str(index) for index in range(len(row))]
        # A property of a dataset is named by both.
        key = ".".join(value for column, value in zip(columns, row) if column in ("name", "property")) or str(number)
        for column, value in zip(columns, row):
            if column not in ("name", "property"):
                yield f"{key}.{column}", value
        yield f"{key}.", "is there"


def of_lines(text):
    """Words, by the number of their line."""
    for number, line in enumerate(text.splitlines(), 1):
        yield f"line {number}", " ".join(line.split())


def of_estimate(text):
    """zfs send -nvP: what a stream would hold."""
    for line in text.splitlines():
        *words, size = line.split("\t")
        yield ("total" if words == ["size"] else f"{words[-1]} {' '.join(words[:-1])}"), size


def of_packages(text):
    for line in text.splitlines():
        state, name, *rest = line.split("\t")
        yield name, " ".join((state.strip(), *rest))


def of_signatures(text):
    """What is on which device. Of ZFS there are dozens, whose places nobody reads."""
    found = {(row["device"], row["type"]): row for row in json.loads(text or "{}").get("signatures", [])}
    yield "signatures", len(found)
    for (device, kind), row in found.items():
        yield f"signatures {device} {kind}.label", row["label"]
        yield f"signatures {device} {kind}.uuid", row["uuid"]


def of_answer(text):
    """What dig tells: how it ended, whether a server that looks further said so, the records in any order, and complaints."""
    for line in text.splitlines():
        words = line.split()
        if line.startswith(";; ->>HEADER<<-"):
            yield "status", words[words.index("status:") + 1].strip(",")
        elif line.startswith(";; flags:"):
            yield "looks further", "ra" in line.partition(";; flags:")[2].partition(";")[0].split()
        elif words and not line.startswith(";"):
            yield f"{words[0].lower()} {words[3]} {' '.join(words[4:])}", words[1]
        elif line.startswith(";; ") and not line.endswith((" SECTION:", " PSEUDOSECTION:", "Got answer:")):
            yield "complaint", " ".join(words)


def uncounted(ruleset):
    """Of nft, without what its rules have counted: whether they do, no audit keeps."""
    for row in ruleset.get("nftables", []):
        if "rule" in row:
            row["rule"]["expr"] = [part for part in row["rule"]["expr"] if "counter" not in part]
    return ruleset


def timeless(text):
    """Without how long it took, which curl tells to the millisecond."""
    return re.sub(r"after \d+ (ms|milliseconds)", r"after N \1", text) if isinstance(text, str) else text


def of_complaint(text):
    """Standard error: which lines there are. ZFS names datasets in an order of its own."""
    for line in text.splitlines():
        yield timeless(" ".join(line.split())), "is said"


def of_mounts(text):
    """/proc/self/mountinfo: what is mounted where, and on what."""
    rows = [line.partition(" - ") for line in text.splitlines()]
    points = {first.split()[0]: first.split()[4] for first, _, _ in rows}
    for first, _, second in rows:
        _, beneath, _, root, point, options = first.split()[:6]
        yield from {f"{point}.root": root, f"{point}.options": options, f"{point}.beneath": points.get(beneath, "nothing"),
                    f"{point}.type": second.split()[0], f"{point}.source": second.split()[1]}.items()


def fields_of(argv, text):
    if argv[-1] == "/proc/self/mountinfo":
        return numbered(of_mounts(text))
    if argv[0] == "dig":
        return numbered(of_answer(text))
    if argv[0] == "dpkg-query":
        return numbered(of_packages(text))
    if argv[:3] == ["wipefs", "--no-act", "--json"]:
        return numbered(of_signatures(text))
    try:
        parsed = json.loads(text)
        if isinstance(parsed, (dict, list)):
            return numbered(of_tree(uncounted(parsed) if argv[0] == "nft" else parsed))
    except ValueError:
        pass
    if argv[:3] == ["zfs", "send", "-nvP"]:
        return numbered(of_estimate(text))
    if argv[0] in ("zfs", "zpool") and ("-Hp" in argv or "-H" in argv):
        return numbered(of_table(argv, text))
    lines = text.splitlines()
    if lines and all(re.match(r"[\w.]+=", line) for line in lines):
        return numbered(line.split("=", 1) for line in lines)
    return numbered(of_lines(text))


# ---- comparing

def is_excused(command, field, real, simulated):
    return any(rule.excuses(command, field, real, simulated) for rule in RULES)


def compare_fields(where, command, real, simulated):
    for field in sorted({*real, *simulated}):
        one, other = real.get(field, NOTHING), simulated.get(field, NOTHING)
        if one != other and not is_excused(command, field, one, other):
            yield Difference(where, command, field, one, other)


def compare_answers(where, real, simulated):
    """Two lines that relab-conform printed of one command."""
    command = " ".join(real["argv"])
    sides = []
    for line in (real, simulated):
        fields = {name: line[name] for name in ("status", "fault") if name in line}
        fields |= {f"err {name}": said for name, said in of_complaint(line.get("err", ""))}
        fields |= {f"out {name}": value for name, value in fields_of(real["argv"], line.get("out", "")).items()}
        fields |= {f"told {name}": value for name, value in of_tree(line.get("told", {}))}
        if "fault" in line:
            fields["what"] = line["what"]
        sides.append(fields)
    yield from compare_fields(where, command, *sides)


def first_and_last(answers):
    """What a kind asks again and again until it is so is asked more often of one machine than of another."""
    by_command = {}
    for line in answers:
        by_command.setdefault(tuple(line["argv"]), []).append(line)
    return {(argv, which): lines[index] for argv, lines in by_command.items() for which, index in (("first", 0), ("last", -1))
            if index == 0 or len(lines) > 1}


def steps_of(lines):
    steps = {}
    for line in lines:
        if "argv" in line:
            steps.setdefault((line["script"], line.get("line", 0)), []).append(line)
    return {key: first_and_last(answers) for key, answers in steps.items()}


def compare(real_lines, simulated_lines):
    """All differences that no rule excuses, and how many answers were compared."""
    real, simulated = steps_of(real_lines), steps_of(simulated_lines)
    differences, count = [], 0
    for key, answers in real.items():
        where = f"{key[0]}:{key[1]}"
        others = simulated.get(key, {})
        for asked in {**answers, **others}:
            command = " ".join(asked[0])
            if asked in answers and asked in others:
                count += 1
                differences += compare_answers(where, answers[asked], others[asked])
            elif asked[1] == "first":
                differences += compare_fields(where, command, *({"asked": "yes"} if asked in side else {} for side in (answers, others)))
    return differences, count


def world_of(lines):
    return next(line["world"] for line in lines if "world" in line)


def compare_worlds(real_lines, simulated_lines):
    """The facts of two audits: the machine's, and that of the simulation which was grown from it."""
    sides = [numbered(of_tree(world_of(lines))) for lines in (real_lines, simulated_lines)]
    return list(compare_fields("audit", "the facts", *sides)), len(sides[0])


def sentence(difference):
    return (f"{difference.where}: {difference.command}\n    {difference.field}\n"
            f"      the machine:    {difference.real!r}\n      the simulation: {difference.simulated!r}")
