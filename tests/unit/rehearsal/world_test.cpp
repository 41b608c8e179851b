// Worlds: what a lab file or an audit describes, and whether audits of it find just that.

#include "controller/rehearsal/world/world.h"

#include <capnp/dynamic.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "agent/host/sim/machine/machine.h"
#include "agent/kinds/disks/audit.h"
#include "agent/kinds/guests/audit_guests.h"
#include "agent/kinds/media/audit_arr.h"
#include "agent/kinds/media/audit_jellyfin.h"
#include "agent/kinds/network/audit.h"
#include "agent/kinds/packages/audit.h"
#include "agent/kinds/pbs/audit_pbs.h"
#include "agent/kinds/pci/audit.h"
#include "agent/kinds/schedules/audit.h"
#include "agent/kinds/services/audit.h"
#include "agent/kinds/zfs/audit.h"
#include "controller/lab/lab.h"
#include "controller/report/diff.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"

namespace relab::rehearsal {

namespace {

Message<schema::Lab> z640() {
  auto reading = lab::parse_lab(sample("../../examples/z640/lab.toml"), "lab.toml");
  for (const auto& mistake : reading.mistakes) UNSCOPED_INFO(lab::to_string(mistake));
  REQUIRE(reading.lab);
  return std::move(*reading.lab);
}

constexpr auto begin = std::chrono::milliseconds(1'790'000'000'000);

Message<schema::World> world_of(const Message<schema::Lab>& lab) {
  return world_of_lab(lab.reader(), lab.reader().getHosts()[0], Instant(begin));
}

/// What the audit of one kind finds, held against what the world says of it.
template <typename Kind, typename Facts>
std::string differences(agent::SimHost& host, Facts described, const std::string& section) {
  const auto params = must(Message<typename Kind::Params>::from_json("{}"));
  const auto found = Kind::observe(params.reader(), host);
  if (!found) return section + ": " + found.error().sentence() + "\n";
  return controller::render_changes(
      controller::diff(capnp::toDynamic(described), capnp::toDynamic(found->reader()), section),
      {});
}

std::string differences(agent::sim::Machine& machine, schema::World::Reader world) {
  auto& host = machine.host();
  std::string text;
  text += differences<agent::disks::AuditDisks>(host, world.getDisks(), "disks");
  text += differences<agent::zfs::AuditZfs>(host, world.getZfs(), "zfs");
  text += differences<agent::guests::AuditGuests>(host, world.getGuests(), "guests");
  text += differences<agent::media::AuditArr>(host, world.getArr(), "arr");
  text += differences<agent::media::AuditJellyfin>(host, world.getJellyfin(), "jellyfin");
  text += differences<agent::pbs::AuditPbs>(host, world.getPbs(), "pbs");
  text += differences<agent::network::AuditNetwork>(host, world.getNetwork(), "network");
  text += differences<agent::schedules::AuditSchedules>(host, world.getSchedules(), "schedules");
  text += differences<agent::services::AuditServices>(host, world.getServices(), "services");
  text += differences<agent::pci::AuditPci>(host, world.getPci(), "pci");
  text += differences<agent::packages::AuditPackages>(host, world.getPackages(), "packages");
  return text;
}

}  // namespace

TEST_CASE("world: audits of the described machine find what the file describes", "[rehearsal]") {
  const auto lab = z640();
  const auto world = world_of(lab);
  agent::sim::Machine machine(world.reader());
  for (const auto& serial : machine.unplugged()) must(machine.storage().plug(serial));

  CHECK_THAT(differences(machine, world.reader()), Catch::Equals(""));
  CHECK_THAT(fmt::format("{}", fmt::join(machine.unknown(), "; ")), Catch::Equals(""));
}

TEST_CASE("world: audits of the reference machine find it as it stands", "[rehearsal]") {
  const auto lab = z640();
  const auto world = must(load_world(
      std::string(RELAB_TEST_DATA) + "/../../examples/z640/z640.world.json", lab.reader()));
  agent::sim::Machine machine(world.reader());
  for (const auto& serial : machine.unplugged()) must(machine.storage().plug(serial));

  CHECK_THAT(differences(machine, world.reader()), Catch::Equals(""));
  CHECK_THAT(fmt::format("{}", fmt::join(machine.unknown(), "; ")), Catch::Equals(""));
}

TEST_CASE("world: it can be saved, edited and read again", "[rehearsal]") {
  const Scratch scratch;
  const auto lab = z640();
  const auto world = world_of(lab);
  const auto file = scratch.path() / "world.json";

  must(save_world(world.reader(), file));
  const auto again = must(load_world(file, lab.reader()));

  CHECK(again.to_json() == world.to_json());
  CHECK(save_world(world.reader(), file).error().fault == Fault::conflict);
}

TEST_CASE("world: what is no world is refused, with what is wrong with it", "[rehearsal]") {
  const Scratch scratch;
  const auto lab = z640();
  const auto write = [&](const std::string& text) {
    auto file = scratch.path() / "world.json";
    std::ofstream(file) << text;
    return file;
  };
  CHECK(load_world(scratch.path() / "none", lab.reader()).error().fault == Fault::missing);
  CHECK_THAT(load_world(write(""), lab.reader()).error().what,
             Catch::Contains("is no JSON from line 1, column 1 on"));
  CHECK_THAT(load_world(write("{\"host\": \"z640\",\n  \"format\" 1}"), lab.reader()).error().what,
             Catch::Contains("is no JSON from line 2, column 12 on"));
  CHECK_FALSE(load_world(write("{\"host\": 7}"), lab.reader()));
  CHECK(load_world(write(R"({"format": 9, "host": "z640"})"), lab.reader()).error().fault ==
        Fault::unsupported);
  CHECK(load_world(write(R"({"format": 1, "host": "other"})"), lab.reader()).error().fault ==
        Fault::conflict);
}

TEST_CASE("world: what no machine can be is refused", "[rehearsal]") {
  const Scratch scratch;
  const auto lab = z640();
  const auto [text, why] = GENERATE(table<const char*, const char*>({
      {R"("files": [{"path": "", "text": ""}])", "no absolute path"},
      {R"("files": [{"path": "../../x", "text": ""}])", "no absolute path"},
      {R"("files": [{"path": "/etc/../x", "text": ""}])", "no absolute path"},
      {R"("files": [{"path": "/etc/", "text": ""}])", "no absolute path"},
      {R"("files": [{"path": "/etc/x", "text": "", "vmid": 7}])", "no container"},
      {R"("disks": {"disks": [{"serial": "A"}]},
          "speeds": [{"serial": "A", "read": "0", "write": "1"}])",
       "a speed of 0"},
      {R"("speeds": [{"serial": "A", "read": "1", "write": "1"}])", "speeds: no disk"},
      {R"("unplugged": ["A"])", "unplugged: no disk"},
      {R"("zfs": {"pools": [{"name": "a"}, {"name": "a"}]})", "two pools"},
      {R"("zfs": {"pools": [{"name": "a", "size": "1", "allocated": "2"}]})", "are allocated"},
      {R"("zfs": {"vdevs": [{"pool": "a", "name": "b"}]})", "the device b is of the pool 'a'"},
      {R"("zfs": {"datasets": [{"name": "a"}]})", "the dataset a is of the pool 'a'"},
      {R"("zfs": {"pools": [{"name": "a"}], "datasets": [{"name": "a"}, {"name": "a"}]})",
       "two datasets"},
      {R"("zfs": {"pools": [{"name": "a"}], "datasets": [{"name": "a/b/c"}, {"name": "a"}]})",
       "there is no 'a/b'"},
      {R"("zfs": {"pools": [{"name": "a"}], "datasets": [{"name": "a", "used": "1"},
          {"name": "a/b", "used": "9000000000"}]})",
       "the dataset a uses"},
      {R"("disks": {"disks": [{"serial": "A", "size": "9"}]},
          "zfs": {"pools": [{"name": "a", "size": "10"}],
                  "vdevs": [{"pool": "a", "device": "sda1", "serial": "A"}]})",
       "its disks have"},
      {R"("disks": {"disks": [{"serial": "A"}, {"serial": "A"}]})", "two disks"},
      {R"("guests": {"guests": [{"vmid": 7}, {"vmid": 7}]})", "two guests"},
  }));
  const auto file = scratch.path() / "world.json";
  std::ofstream(file) << R"({"format": 1, "host": "z640", )" << text << "}";

  const auto refused = load_world(file, lab.reader());

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::invalid);
  CHECK_THAT(refused.error().what, Catch::Contains(why));
}

}  // namespace relab::rehearsal
