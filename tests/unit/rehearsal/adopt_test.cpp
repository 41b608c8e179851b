// Adopting a simulated machine gives back the description that it was grown from.

#include "controller/adopt/adopt.h"

#include <fmt/format.h>

#include "controller/lab/programs.h"
#include "tests/support/rehearsed.h"

namespace relab::rehearsal {

namespace {

/// What an audit can tell of a lab file, in lines: names of VLANs are the reader's.
std::string description_of(schema::Lab::Reader lab) {
  std::string text;
  std::map<std::string, unsigned> vlans;
  std::map<std::string, std::string> serials;
  for (const auto vlan : lab.getNetwork().getVlans()) {
    vlans[str(vlan.getName())] = vlan.getId();
    text +=
        fmt::format("vlan {} {} {}\n", vlan.getId(), str(vlan.getSubnet()), str(vlan.getGateway()));
  }
  for (const auto host : lab.getHosts())
    text += fmt::format("host {} {} in {} on {}, {} bytes, ecc {}, {}\n", str(host.getName()),
                        str(host.getIp()), vlans[str(host.getVlan())], str(host.getBridge()),
                        host.getMemory(), host.getEcc(), str(host.getCpu()));
  for (const auto disk : lab.getDisks()) {
    serials[str(disk.getName())] = str(disk.getSerial());
    // It is not plugged in while the machine is audited.
    if (disk.getRole() == schema::Lab::Disk::Role::BACKUP) continue;
    text += fmt::format("disk {} {} bytes, role {}\n", str(disk.getSerial()), disk.getSize(),
                        static_cast<int>(disk.getRole()));
  }
  for (const auto pool : lab.getPools()) {
    text += fmt::format("pool {} {} encrypted {} {}", str(pool.getName()),
                        static_cast<int>(pool.getLayout()), pool.getEncrypted(),
                        static_cast<int>(pool.getKeyFormat()));
    for (const auto disk : pool.getDisks()) text += " " + serials[str(disk)];
    text += "\n";
  }
  for (const auto gpu : lab.getGpus())
    text += fmt::format("gpu {} {}\n", static_cast<int>(gpu.getVendor()), str(gpu.getPciId()));
  for (const auto guest : lab.getGuests()) {
    if (guest.getPlanned()) continue;
    text += fmt::format(
        "guest {} {} type {} privileged {} nesting {} {} in {}, {} cores, {} and {} bytes, {}, "
        "onboot {} {}, {} cards\n",
        guest.getVmid(), str(guest.getName()), static_cast<int>(guest.getType()),
        guest.getPrivileged(), guest.getNesting(), str(guest.getIp()), vlans[str(guest.getVlan())],
        guest.getCores(), guest.getMemory(), guest.getDisk(), str(guest.getPurpose()),
        guest.getOnboot(), guest.getOrder(), guest.getGpus().size());
    for (const auto mount : guest.getMounts())
      text += fmt::format("  {} on {} read only {}\n", str(mount.getSource()),
                          str(mount.getTarget()), mount.getReadOnly());
    std::set<std::string> services;
    for (const auto service : guest.getServices())
      services.insert(fmt::format("  {} on port {} in {}\n", lab::program(service.getKind()).name,
                                  service.getPort(), str(service.getPath())));
    for (const auto& service : services) text += service;
  }
  return text;
}

}  // namespace

TEST_CASE("adopt: the simulated reference machine is described as it was", "[rehearsal]") {
  const Rehearsed done;
  REQUIRE(done.phase("0a").complete());
  const auto text =
      must(controller::adopt({.lab = "z640", .host = "z640"},
                             controller::audit_of(done.rehearsal->stage().book().state(), "z640")));
  INFO(text);

  auto reading = lab::parse_lab(text, "what was adopted");
  for (const auto& mistake : reading.mistakes) UNSCOPED_INFO(lab::to_string(mistake));
  REQUIRE(reading.lab);

  CHECK(description_of(reading.lab->reader()) == description_of(done.lab.reader()));
}

}  // namespace relab::rehearsal
