// Whether a pool lies on the disks that lab.toml gives to it.

#include "controller/survival/members.h"

#include <fmt/format.h>
#include <vector>

#include "common/wire/message.h"
#include "tests/support/must.h"

namespace relab::controller {

namespace {

/// A device of the pool, below its one mirror unless it is apart.
struct Leaf {
  std::string serial;
  std::string state = "ONLINE";
  std::string role = "data";
  std::string kind = "disk";
};

std::string concern(const std::vector<Leaf>& leaves) {
  const auto lab = must(Message<schema::Lab>::from_json(R"({"name": "home",
    "disks": [{"name": "os1", "serial": "OS1", "role": "os"},
              {"name": "data1", "serial": "DATA1", "role": "data"},
              {"name": "data2", "serial": "DATA2", "role": "data"},
              {"name": "log1", "serial": "LOG1", "role": "data"},
              {"name": "usb1", "serial": "USB1", "role": "backup"}],
    "pools": [{"name": "tank", "disks": ["data1", "data2"]}]})"));
  std::string rows = R"({"pool": "rpool", "name": "rpool"},
    {"pool": "rpool", "depth": 1, "parent": 0, "name": "os", "kind": "disk", "state": "ONLINE", "serial": "OS1"},
    {"pool": "tank", "name": "tank"},
    {"pool": "tank", "depth": 1, "parent": 2, "name": "mirror-0", "kind": "mirror", "role": "data"})";
  for (const auto& leaf : leaves) {
    const bool inside = leaf.role == "data";
    rows += fmt::format(
        R"(, {{"pool": "tank", "depth": {}, "parent": {}, "name": "leaf", "kind": "{}", "role": "{}",
             "state": "{}", "serial": "{}"}})",
        inside ? 2 : 1, inside ? 3 : 2, leaf.kind, leaf.role, leaf.state, leaf.serial);
  }
  const auto facts =
      must(Message<schema::AuditZfs::Facts>::from_json(R"({"vdevs": [)" + rows + "]}"));
  return member_concern(lab.reader(), lab.reader().getPools()[0], facts.reader().getVdevs());
}

}  // namespace

TEST_CASE("members: a pool on its own disks", "[controller][survival]") {
  CHECK(concern({{"DATA1"}, {"DATA2"}}).empty());
  CHECK(concern({{"DATA1"}, {"DATA2"}, {"LOG1", "ONLINE", "log"}}).empty());
  CHECK(concern({{"DATA1"}, {"DATA2"}, {"", "ONLINE", "data", "indirect"}}).empty());
}

TEST_CASE("members: a disk that is gone may be any of those that are missing",
          "[controller][survival]") {
  CHECK(concern({{"DATA1"}, {"", "UNAVAIL"}}).empty());
  CHECK(concern({{"DATA1"}, {"DATA2", "OFFLINE"}}).empty());
  CHECK_FALSE(concern({{"DATA1"}, {"", "AVAIL", "spare"}}).empty());
  CHECK(concern({{"OS1"}, {"", "UNAVAIL"}}) ==
        "leaf of it is os1 (OS1), which has the role os in lab.toml, and not data");
}

TEST_CASE("members: whatever an installation would overwrite is none of its disks",
          "[controller][survival]") {
  CHECK(concern({{"DATA1"}, {"OS1"}}) ==
        "leaf of it is os1 (OS1), which has the role os in lab.toml, and not data");
  CHECK(concern({{"DATA1"}, {"USB1"}}) ==
        "leaf of it is usb1 (USB1), which has the role backup in lab.toml, and not data");
  for (const auto* role : {"special", "log", "cache", "dedup", "spare"})
    CHECK(concern({{"DATA1"}, {"DATA2"}, {"OS1", "ONLINE", role}}) ==
          "leaf of it is os1 (OS1), which has the role os in lab.toml, and not data");
  // Behind a mapping on two disks.
  CHECK(concern({{"DATA1"}, {"DATA2,OS1"}}) ==
        "leaf of it is os1 (OS1), which has the role os in lab.toml, and not data");
}

TEST_CASE("members: what nobody can name is none of its disks", "[controller][survival]") {
  CHECK(concern({{"DATA1"}, {"ELSE"}}) ==
        "leaf of it is the disk ELSE, which lab.toml does not know");
  CHECK(concern({{"DATA1"}, {""}}) ==
        "leaf of it tells no serial number: which disk that is, nobody knows");
  CHECK(concern({{"DATA1"}, {"LOG1"}}) ==
        "leaf of it is log1 (LOG1), which is none of its disks in lab.toml");
  CHECK(concern({{"DATA1"}}) == "lab.toml gives it data2, and the machine has it on none of them");
  CHECK_FALSE(concern({}).empty());
}

}  // namespace relab::controller
