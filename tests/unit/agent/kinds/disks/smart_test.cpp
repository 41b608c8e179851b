#include "agent/kinds/disks/smart.h"

#include <random>

#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::disks {

namespace {

Smart smart_of(const std::string& name) {
  return must(parse_smart(data_file("disks/smart-" + name + ".json")));
}

}  // namespace

TEST_CASE("smart: a hard disk with pending sectors", "[agent][disks]") {
  const auto smart = smart_of("hdd");

  CHECK(smart.passed == true);
  CHECK(smart.serial == "ZDH0AAA1");
  CHECK(smart.power_on_hours == 2725);
  CHECK(smart.reallocated == 0);
  CHECK(smart.pending == 8);
  CHECK(smart.uncorrectable == 8);
  CHECK(smart.crc_errors == 3);
  CHECK(smart.errors_logged == 2);
  CHECK(smart.self_test_errors == 1);
  CHECK_FALSE(smart.wear);
}

TEST_CASE("smart: a failing SSD, whose raw value packs several numbers", "[agent][disks]") {
  const auto smart = smart_of("ssd-failing");

  CHECK(smart.passed == false);
  CHECK(smart.exit_status == 24);
  CHECK(smart.reallocated == 2111);
  CHECK(smart.wear == 2);
  CHECK(smart.failing == std::vector<std::string>{"Reallocated_Sector_Ct (now)"});
  CHECK_FALSE(smart.pending);
}

TEST_CASE("smart: NVMe and SCSI have counters of their own", "[agent][disks]") {
  const auto nvme = smart_of("nvme");
  const auto scsi = smart_of("scsi");

  CHECK(nvme.wear == 3);
  CHECK(nvme.spare == 100);
  CHECK(nvme.critical_warning == 0);
  CHECK(nvme.errors_logged == 7);
  CHECK(nvme.uncorrectable == 0);
  CHECK(scsi.reallocated == 56);
  CHECK(scsi.uncorrectable == 3);
  CHECK_FALSE(scsi.available);
}

TEST_CASE("smart: what was not read keeps its reason", "[agent][disks]") {
  const auto smart = smart_of("unknown-type");

  CHECK((smart.exit_status & smartctl_read_nothing) != 0);
  CHECK(smart.messages == "/dev/vda: Unable to detect device type");
  CHECK_FALSE(smart.passed);
  CHECK(smart_of("none").available == false);
}

TEST_CASE("smart: what is no report is an error", "[agent][disks]") {
  CHECK_FALSE(parse_smart(""));
  CHECK_FALSE(parse_smart("[]"));
  CHECK_FALSE(parse_smart("{}"));
  CHECK_FALSE(parse_smart(R"({"smartctl":{"exit_status":-1}})"));
  CHECK_FALSE(parse_smart("smartctl 7.3 2022-02-28"));
}

TEST_CASE("smart: arbitrary bytes do no harm", "[agent][disks]") {
  std::mt19937 random(3);
  const auto whole = data_file("disks/smart-hdd.json");
  for (int round = 0; round < 2000; ++round) {
    auto broken = whole;
    for (int i = 0; i < 6; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    CHECK_NOTHROW(static_cast<void>(parse_smart(broken)));
  }
}

}  // namespace relab::agent::disks
