#include <random>

#include "agent/kinds/pci/devices.h"
#include "agent/kinds/pci/names.h"
#include "agent/kinds/pci/nvidia.h"
#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::pci {

namespace {

const Ids arc = {.vendor = "8086",
                 .device = "56a6",
                 .subsystem_vendor = "1849",
                 .subsystem = "6006",
                 .device_class = "030000"};

}  // namespace

TEST_CASE("pci.ids: the names that were asked for are found, of the right vendor", "[agent][pci]") {
  Names names;
  names.want(arc);

  REQUIRE(names.read(data_file("pci/pci.ids")));

  CHECK(names.vendor(arc) == "Intel Corporation");
  CHECK(names.device(arc) == "DG2 [Arc A310]");
  CHECK(names.subsystem(arc) == "Arc A310 Low Profile");
  CHECK(names.device_class(arc) == "VGA compatible controller");
}

TEST_CASE("pci.ids: an unknown subclass falls back to its class", "[agent][pci]") {
  Names names;
  const Ids odd = {.vendor = "ffff",
                   .device = "1",
                   .subsystem_vendor = "",
                   .subsystem = "",
                   .device_class = "037700"};
  names.want(odd);

  REQUIRE(names.read(data_file("pci/pci.ids")));

  CHECK(names.device_class(odd) == "Display controller");
  CHECK(names.vendor(odd).empty());
}

TEST_CASE("pci.ids: a file without its end is an error", "[agent][pci]") {
  Names names;
  const auto whole = data_file("pci/pci.ids");

  CHECK_FALSE(names.read(""));
  CHECK_FALSE(names.read(whole.substr(0, whole.find("C 03"))));
}

TEST_CASE("nvidia-smi: the recorded failures are errors, not empty lists", "[agent][pci]") {
  CHECK_FALSE(parse_nvidia(data_file("pci/nvidia-smi.cgroup-lost.txt")));
  CHECK_FALSE(parse_nvidia(data_file("pci/nvidia-smi.no-driver.rc9.txt")));
  CHECK_FALSE(parse_nvidia(data_file("pci/nvidia-smi.version-mismatch.rc18.txt")));
}

TEST_CASE("nvidia-smi: a card is read, with figures that it does not tell", "[agent][pci]") {
  const auto cards = must(parse_nvidia(
      "00000000:0B:00.0, NVIDIA GeForce RTX 3060, GPU-5f2c1a7e, 580.95.05, 12288, 5421, [N/A], "
      "52\n"));

  REQUIRE(cards.size() == 1);
  CHECK(cards[0].address == "0000:0b:00.0");
  CHECK(cards[0].memory_total == 12288);
  CHECK_FALSE(cards[0].utilization);
  CHECK(cards[0].temperature == 52);
}

TEST_CASE("pci addresses: any number of domain digits, nothing else", "[agent][pci]") {
  CHECK(normal_address("00000000:0B:00.0") == "0000:0b:00.0");
  CHECK(normal_address("0000:04:00.1") == "0000:04:00.1");
  CHECK(normal_address("virtio1").empty());
  CHECK(normal_address("0000:04:00").empty());
  CHECK(normal_address("::.").empty());
}

TEST_CASE("huc_info: the state is read and its absence is an error", "[agent][pci]") {
  const auto huc = must(parse_huc(data_file("pci/host-huc_info.ok.txt")));

  CHECK(huc.status == "RUNNING");
  CHECK(huc.firmware == "i915/dg2_huc_gsc.bin");
  CHECK_FALSE(parse_huc("HuC disabled\n"));
}

TEST_CASE("pci parsers: arbitrary bytes do no harm", "[agent][pci]") {
  std::mt19937 random(13);
  for (int round = 0; round < 1000; ++round) {
    std::string text;
    for (int i = 0; i < 120; ++i) text += "\t\n C03:.,#[8f"[random() % 13];
    Names names;
    names.want(arc);
    CHECK_NOTHROW(static_cast<void>(names.read(text)));
    CHECK_NOTHROW(static_cast<void>(parse_nvidia(text)));
    CHECK_NOTHROW(static_cast<void>(parse_huc(text)));
    CHECK_NOTHROW(normal_address(text));
  }
}

}  // namespace relab::agent::pci
