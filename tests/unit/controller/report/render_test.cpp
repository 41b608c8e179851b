#include "controller/report/render.h"

#include "common/wire/message.h"
#include "schema/disks.capnp.h"
#include "schema/guests.capnp.h"
#include "schema/network.capnp.h"
#include "schema/packages.capnp.h"
#include "schema/zfs.capnp.h"
#include "tests/support/must.h"

namespace relab::controller {

namespace {

template <typename Facts>
std::string rendered(std::string_view json, const Style& style = {}) {
  return render(must(Message<Facts>::from_json(json)).reader(), style);
}

}  // namespace

TEST_CASE("render: a section that is absent says so, and nothing else", "[controller][report]") {
  CHECK(rendered<schema::AuditZfs::Facts>(
            R"({"coverage": {"absent": "no zpool on this machine"}})") ==
        "absent: no zpool on this machine\n");
}

TEST_CASE("render: problems come first and put every empty list in doubt", "[controller][report]") {
  const auto text = rendered<schema::AuditGuests::Facts>(R"({
    "coverage": {"problems": [{"part": "guest 112", "why": "its configuration is unreadable"}]},
    "node": "z640"})");

  CHECK(text == R"(NOT READ, 1 problem: what follows is not complete
  guest 112: its configuration is unreadable

node  z640

none, or not read: guests, disks, mounts, networks, devices, raw lines, snapshots, pending, storages, units, ports, docker, tunnels
)");
}

TEST_CASE("render: a list becomes a table without the columns that nobody filled",
          "[controller][report]") {
  const auto text = rendered<schema::AuditGuests::Facts>(R"({
    "snapshots": [
      {"vmid": 101, "name": "before", "time": 1790000000000},
      {"vmid": 9000, "name": "später", "withMemory": true}]})");

  CHECK(text == R"(snapshots (2)
vmid  name    time                  with memory
 101  before  2026-09-21T14:13:20Z  no
9000  später                        yes

none: guests, disks, mounts, networks, devices, raw lines, pending, storages, units, ports, docker, tunnels
)");
}

TEST_CASE("render: a single row with much to say is a paragraph, with sizes as people read them",
          "[controller][report]") {
  const auto text = rendered<schema::AuditPackages::Facts>(R"({
    "system": {"hostname": "z640", "os": "debian", "uptime": 93784},
    "hardware": {"cpu": "E5", "memory": 68719476736},
    "ignoredSources": ["a.list.bak", "b"]})");

  INFO(text);
  CHECK(text.find("ignored sources  a.list.bak, b\n") != std::string::npos);
  CHECK(text.find("\nsystem\nhostname  z640\nos        debian\nuptime    1 d 2 h\n") !=
        std::string::npos);
  CHECK(text.find("memory              64.0 GiB\n") != std::string::npos);
}

TEST_CASE("render: Markdown has headings, a table and nothing that a text could break",
          "[controller][report]") {
  const auto text = rendered<schema::AuditGuests::Facts>(
      R"({"rawLines": [{"vmid": 7, "key": "a|b", "value": "x\ny <b>*"}]})",
      {.form = Form::markdown, .heading = 3});

  CHECK(text == R"(### raw lines (1)

| vmid | key | value |
| ---: | --- | --- |
| 7 | a\|b | x<br>y &lt;b&gt;\* |

none: guests, disks, mounts, networks, devices, snapshots, pending, storages, units, ports, docker, tunnels
)");
}

TEST_CASE("render: no text of a machine reaches the terminal as a control",
          "[controller][report]") {
  const auto form = GENERATE(Form::text, Form::markdown);

  Draft<schema::AuditGuests::Facts> draft;
  draft->setNode("\x1b[2J\a");
  draft->initGuests(1)[0].setName("\u009b31m\r\n\u202eevil\x7f");
  draft->getCoverage().initProblems(1)[0].setWhy("\x1b]0;title\a");

  const auto text = render(std::move(draft).finish().reader(), {.form = form});

  for (const auto letter : text)
    CHECK((letter == '\n' || static_cast<unsigned char>(letter) >= ' '));
  CHECK(text.find('\x7f') == std::string::npos);
  CHECK(text.find("\xC2\x9B") == std::string::npos);
  CHECK(text.find("\u202e") == std::string::npos);
  CHECK(text.find("x1b") != std::string::npos);
}

TEST_CASE("render: colours are there only when asked for", "[controller][report]") {
  const auto* problem = R"({"coverage": {"problems": [{"part": "a", "why": "b"}]}})";

  CHECK(rendered<schema::AuditZfs::Facts>(problem).find('\x1b') == std::string::npos);
  CHECK(rendered<schema::AuditZfs::Facts>(problem, {.colour = true}).find("\x1b[1;31mNOT READ") ==
        0);
}

TEST_CASE("render: a table too wide for the terminal becomes paragraphs that lose nothing",
          "[controller][report]") {
  const auto text = rendered<schema::AuditGuests::Facts>(
      R"({"mounts": [
        {"vmid": 1, "key": "mp0", "hostPath": "/a/path/that/needs/room", "guestPath": "/another/long/path/inside"},
        {"vmid": 2, "key": "mp0", "hostPath": "/srv/a", "guestPath": "/b", "options": "backup=0"}]})",
      {.width = 40});

  INFO(text);
  CHECK(text.find("mounts (2)\n1\n  vmid        1\n  key         mp0\n  host path   "
                  "/a/path/that/needs/room\n") != std::string::npos);
}

TEST_CASE("render: what all rows of a wide table say is said once", "[controller][report]") {
  const auto text = rendered<schema::AuditZfs::Facts>(R"({"vdevs": [
    {"pool": "tank", "name": "a", "state": "ONLINE", "readErrors": "1"},
    {"pool": "tank", "name": "b", "state": "ONLINE", "depth": 1, "parent": 0},
    {"pool": "tank", "name": "c", "state": "ONLINE", "depth": 1, "parent": 0}]})",
                                                      {.width = 45});

  CHECK(text.starts_with(R"(vdevs (3)
all 3: state ONLINE, write errors 0, checksum errors 0, guid 0
pool  depth  parent  name  read errors
tank      0          a               1
tank      1       0  b               0
tank      1       0  c               0
)"));
}

TEST_CASE("render: small sizes that are not whole are not rounded", "[controller][report]") {
  CHECK(rendered<schema::AuditDisks::Facts>(R"({"disks": [{"name": "e", "logicalSector": 1500}]})")
            .find("1500 B") != std::string::npos);
}

}  // namespace relab::controller
