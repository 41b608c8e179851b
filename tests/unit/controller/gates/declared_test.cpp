// What the lab file declares must have been seen, and what keeps the gate shut if it was not.

#include "controller/gates/declared.h"

#include <algorithm>
#include <fmt/format.h>

#include "tests/support/audited.h"

namespace relab::controller {

TEST_CASE("audit.complete: what is absent and not declared is said, and does no harm",
          "[controller][gates]") {
  Audited audited;
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "no PBS here"}}})");

  const auto gate = audited.gate();

  CHECK(gate.open);
  CHECK(std::ranges::any_of(gate.verdicts[0].findings, [](const Finding& finding) {
    return finding.subject == "pbs of pve" &&
           finding.why == "absent: no PBS here; not declared; read 0 ms ago";
  }));
}

TEST_CASE("audit.complete: what is absent and declared keeps the gate shut",
          "[controller][gates]") {
  Audited audited;
  const auto row = GENERATE(
      table<std::string, std::string>({{"zfs", "the pool 'tank'"}, {"disks", "the disk 'd1'"}}));
  const auto& [section, declared] = row;
  audited.again(section, "{\"" + arm_of(section) + R"(": {"coverage": {"absent": "none here"}}})");

  CHECK(audited.shut().why == "none here, but lab.toml declares it: " + declared);
}

TEST_CASE("audit.complete: what the host's `expect` names must not be absent",
          "[controller][gates]") {
  auto json = std::string(lab_json);
  json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "pve", "expect": ["pbs"]})");
  Audited audited(json);
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "none here"}}})");

  CHECK(audited.shut().why == "none here, but lab.toml declares it: `expect` of the host");
}

namespace {

/// The lab with one more member, as JSON.
std::string lab_with(std::string_view member) {
  auto json = std::string(lab_json);
  return json.insert(json.find(R"("plan")"), fmt::format("{},\n  ", member));
}

const std::string media_guest = lab_with(R"("guests": [
  {"name": "media", "vmid": 110, "services": [{"kind": "sonarr"}, {"kind": "jellyfin"},
    {"kind": "radarr", "planned": true}, {"kind": "grafana"}]},
  {"name": "backup", "planned": true, "services": [{"kind": "pbs"}]}])");

/// An audit of the machine that `media_guest` describes.
Audited media_audited() {
  Audited audited(media_guest);
  audited.again("guests", R"({"auditGuests": {"guests": [{"vmid": 110, "name": "media"}]}})");
  audited.again("arr", R"({"auditArr": {"apps": [{"app": "sonarr", "vmid": 110}]}})");
  audited.again("jellyfin", R"({"auditJellyfin": {"servers": [{"vmid": 110}]}})");
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "no PBS here"}}})");
  return audited;
}

}  // namespace

TEST_CASE("audit.complete: what is planned need not be found", "[controller][gates]") {
  CHECK(media_audited().gate().open);
}

TEST_CASE(
    "audit.complete: guests and services that are not planned must not be absent, `expect` or not",
    "[controller][gates]") {
  const auto row =
      GENERATE(table<std::string, std::string>({{"arr", "sonarr in the guest 'media'"},
                                                {"jellyfin", "jellyfin in the guest 'media'"},
                                                {"guests", "the guest 'media'"}}));
  const auto& [section, declared] = row;
  auto json = media_guest;
  if (GENERATE(false, true))
    json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "pve", "expect": ["zfs"]})");
  auto audited = media_audited();
  audited.lab = must(Message<schema::Lab>::from_json(json));
  audited.again(section, "{\"" + arm_of(section) + R"(": {"coverage": {"absent": "none here"}}})");

  CHECK(audited.shut().why == "none here, but lab.toml declares it: " + declared);
}

TEST_CASE("audit.complete: another application of the same section is no substitute",
          "[controller][gates]") {
  auto audited = media_audited();
  audited.again("arr", R"({"auditArr": {"apps": [{"app": "prowlarr"}]}})");

  CHECK(audited.shut().why == "sonarr is declared in the guest 'media', and was found nowhere");
}

TEST_CASE("audit.complete: a service must be in the guest that is declared to have it",
          "[controller][gates]") {
  Audited audited(lab_with(R"("guests": [
    {"name": "media", "vmid": 110, "services": [{"kind": "sonarr"}, {"kind": "jellyfin"}]},
    {"name": "kids", "vmid": 111, "services": [{"kind": "sonarr"}]}])"));
  const auto found = [&](const std::string& guests, const std::string& sonarrs,
                         const std::string& jellyfins = R"({"vmid": 110})") {
    audited.records.now += std::chrono::minutes(1);
    audited.again("guests", R"({"auditGuests": {"guests": [)" + guests + "]}}");
    audited.again("arr", R"({"auditArr": {"apps": [)" + sonarrs + "]}}");
    audited.again("jellyfin", R"({"auditJellyfin": {"servers": [)" + jellyfins + "]}}");
  };
  const std::string both = R"({"vmid": 110, "name": "media"}, {"vmid": 111, "name": "kids"})";
  const std::string in_both = R"({"app": "sonarr", "vmid": 110}, {"app": "sonarr", "vmid": 111})";

  found(both, in_both);
  CHECK(audited.gate().open);
  found(both, R"({"app": "sonarr", "vmid": 110})");
  CHECK(audited.shut().why ==
        "sonarr is declared in the guest 'kids', and was found only in guest 110; if it is not in "
        "there yet, say `planned = true`");
  found(both, in_both, R"({"vmid": 0})");
  CHECK_THAT(audited.shut().why, Catch::StartsWith("jellyfin is declared in the guest 'media', and "
                                                   "was found only on the host itself"));
}

TEST_CASE("audit.complete: a guest with another number than lab.toml has is known by its name",
          "[controller][gates]") {
  Audited audited(lab_with(R"("guests": [
    {"name": "media", "vmid": 110, "services": [{"kind": "sonarr"}]},
    {"name": "kids", "vmid": 111, "services": [{"kind": "sonarr"}]}])"));
  const auto found = [&](const std::string& guests, const std::string& sonarrs) {
    audited.records.now += std::chrono::minutes(1);
    audited.again("guests", R"({"auditGuests": {"guests": [)" + guests + "]}}");
    audited.again("arr", R"({"auditArr": {"apps": [)" + sonarrs + "]}}");
  };

  found(R"({"vmid": 210, "name": "media"}, {"vmid": 111, "name": "old-kids"})",
        R"({"app": "sonarr", "vmid": 210}, {"app": "sonarr", "vmid": 111})");
  CHECK(audited.gate().open);
  found(R"({"vmid": 110, "name": "kids"})", R"({"app": "sonarr", "vmid": 110})");
  CHECK_THAT(audited.shut().why, Catch::StartsWith("sonarr is declared in the guest 'media', and "
                                                   "was found only in guest 110"));
}

TEST_CASE("audit.complete: a section that found no server has not found the declared one",
          "[controller][gates]") {
  auto audited = media_audited();
  audited.again("jellyfin", R"({"auditJellyfin": {}})");

  CHECK(audited.shut().why == "jellyfin is declared in the guest 'media', and was found nowhere");
}

TEST_CASE("audit.complete: a declared guest must be seen, by its number or its name",
          "[controller][gates]") {
  Audited audited(lab_with(R"("guests": [{"name": "media"}])"));

  audited.again("guests", R"({"auditGuests": {"guests": [{"vmid": 101, "name": "other"}]}})");
  CHECK_THAT(audited.shut().why,
             Catch::StartsWith("the guest 'media' (0) is declared, and was not seen"));
  audited.records.now += std::chrono::minutes(1);
  audited.again("guests", R"({"auditGuests": {"guests": [{"vmid": 101, "name": "media"}]}})");
  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: a section that `expect` names must have found something",
          "[controller][gates]") {
  auto json = std::string(lab_json);
  json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "pve", "expect": ["schedules"]})");
  Audited audited(json);
  CHECK(audited.shut().why ==
        "`expect` of the host names this section, and nothing of it was found");

  audited.records.now += std::chrono::minutes(1);
  audited.again("schedules", R"({"auditSchedules": {"timers": [{"name": "x.timer"}]}})");

  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: what a removed server left behind is no server", "[controller][gates]") {
  Audited audited(lab_with(R"("guests": [
    {"name": "backup", "planned": false, "services": [{"kind": "pbs"}]}])"));
  const auto found = [&](std::string_view installed) {
    audited.records.now += std::chrono::minutes(1);
    audited.again("guests", R"({"auditGuests": {"guests": [{"name": "backup"}]}})");
    audited.again(
        "pbs", fmt::format(R"({{"auditPbs": {{"servers": [{{"installed": {}}}]}}}})", installed));
  };

  found("false");
  CHECK(audited.shut().why == "pbs is declared in the guest 'backup', and was found nowhere");
  found("true");
  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: each declared card is a device of its own", "[controller][gates]") {
  constexpr auto arc = R"({"address": "0000:03:00.0", "classId": "030000", "vendorId": "8086",
                           "deviceId": "56a6"})";
  constexpr auto sound = R"({"address": "0000:04:00.1", "classId": "040300", "vendorId": "10de",
                             "deviceId": "228e"})";
  Audited audited(lab_with(R"("gpus": [
    {"name": "arc", "vendor": "intel", "model": "Arc A310", "pciId": "8086:56a6"},
    {"name": "rtx", "vendor": "nvidia", "model": "RTX 3060"},
    {"name": "later", "vendor": "amd", "model": "RX 6600", "planned": true}])"));
  const auto found = [&](std::string_view devices) {
    audited.records.now += std::chrono::minutes(1);
    audited.again("pci", fmt::format(R"({{"auditPci": {{"devices": [{}]}}}})", devices));
  };

  found(fmt::format("{}, {}", arc, sound));
  CHECK(audited.shut().why == "the card 'rtx' (RTX 3060) is declared, and was not seen");

  found(
      fmt::format("{}", R"({"address": "0000:04:00.0", "classId": "030000", "vendorId": "10de"})"));
  CHECK(audited.shut().why ==
        "the card 'arc' (Arc A310, PCI id 8086:56a6) is declared, and was not seen");

  found(fmt::format("{}, {}", arc,
                    R"({"address": "0000:04:00.0", "classId": "030000", "vendorId": "10de"})"));
  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: one card does not stand for two", "[controller][gates]") {
  Audited audited(lab_with(R"("gpus": [{"name": "a", "vendor": "amd", "model": "RX 6600"},
                                       {"name": "b", "vendor": "amd", "model": "RX 6600"}])"));
  audited.again("pci", R"({"auditPci": {"devices": [
    {"address": "0000:04:00.0", "classId": "038000", "vendorId": "1002"}]}})");

  CHECK(audited.shut().why == "the card 'b' (RX 6600) is declared, and was not seen");
}

TEST_CASE("audit.complete: a declared pool or disk that was not seen keeps the gate shut",
          "[controller][gates]") {
  Audited pool;
  pool.again("zfs", R"({"auditZfs": {"pools": [{"name": "other"}]}})");
  Audited disk;
  disk.again("disks", R"({"auditDisks": {"disks": [{"serial": "SER1"}, {"serial": "USB1"}]}})");

  CHECK(pool.shut().why == "the pool 'tank' is declared, and is not imported here");
  CHECK(disk.shut().why == "the disk 'd2' with the serial SER2 is declared, and was not seen");
}

TEST_CASE("audit.complete: a disk that its pool is known to have lost may be away",
          "[controller][gates]") {
  Audited audited;
  audited.again("disks", R"({"auditDisks": {"disks": [{"serial": "SER1"}, {"serial": "USB1"}]}})");
  const auto pool_with = [&](const std::string& leaf) {
    audited.again("zfs", R"({"auditZfs": {"pools": [{"name": "tank"}], "vdevs": [
      {"pool": "tank", "name": "tank", "kind": "root", "parent": -1},
      {"pool": "tank", "depth": 1, "kind": "disk", )" +
                             leaf + "}]}}");
    return audited.gate().open;
  };
  CHECK(pool_with(R"("state": "UNAVAIL")"));
  CHECK_FALSE(pool_with(R"("state": "ONLINE")"));
  CHECK_FALSE(pool_with(R"("state": "FAULTED", "serial": "SER1")"));
}

TEST_CASE("audit.complete: nobody looks for services in a virtual machine", "[controller][gates]") {
  Audited audited(lab_with(R"("guests": [
    {"name": "backup", "vmid": 100, "type": "vm", "services": [{"kind": "pbs"}]}])"));
  audited.again("guests", R"({"auditGuests": {"guests": [{"name": "backup", "vmid": 100}]}})");
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "none here"}}})");

  CHECK(audited.gate().open);
}

}  // namespace relab::controller
