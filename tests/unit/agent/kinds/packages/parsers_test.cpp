#include "agent/kinds/packages/deb822.h"
#include "agent/kinds/packages/dpkg.h"
#include "agent/kinds/packages/machine.h"
#include "agent/kinds/packages/sources.h"
#include "tests/support/must.h"

namespace relab::agent::packages {

TEST_CASE("os-release: values lose their quotes", "[agent][packages]") {
  auto values =
      must(parse_os_release("PRETTY_NAME=\"Debian 12\"\n# x=y\nID=debian\nVERSION_ID='12'\n"));

  CHECK(values["PRETTY_NAME"] == "Debian 12");
  CHECK(values["VERSION_ID"] == "12");
  CHECK_FALSE(values.contains("# x"));
  CHECK_FALSE(parse_os_release(""));
  CHECK_FALSE(parse_os_release("NAME=x\n"));
}

TEST_CASE("cpuinfo: cores are counted across sockets", "[agent][packages]") {
  const auto* text =
      "processor\t: 0\nmodel name\t: Xeon\nphysical id\t: 0\ncore id\t: 0\n\n"
      "processor\t: 1\nmodel name\t: Xeon\nphysical id\t: 0\ncore id\t: 0\n\n"
      "processor\t: 2\nmodel name\t: Xeon\nphysical id\t: 1\ncore id\t: 0\n\n";

  CHECK(must(parse_cpuinfo(text)) == Cpu{.model = "Xeon", .sockets = 2, .cores = 2, .threads = 3});
  CHECK(must(parse_cpuinfo("processor\t: 0\nBogoMIPS\t: 50\n")).threads == 1);
  CHECK_FALSE(parse_cpuinfo(""));
}

TEST_CASE("meminfo: kilobytes become bytes", "[agent][packages]") {
  CHECK(must(parse_memory_total("MemTotal:       24684100 kB\n")) == 25276518400U);
  const auto* text = GENERATE("", "MemTotal: 5 MB\n", "MemTotal: x kB\n", "MemTotal:\n");
  CHECK_FALSE(parse_memory_total(text));
}

TEST_CASE("firmware: the memory's error correction is read from the table's bytes",
          "[agent][packages]") {
  const std::string multi_bit("\x10\x17\x00\x10\x03\x03\x06\x00", 8);
  const std::string flash("\x10\x17\x00\x10\x03\x05\x06\x00", 8);
  const std::string future("\x10\x17\x00\x10\x03\x03\x2a\x00", 8);

  CHECK(parse_memory_array(multi_bit) == "multi-bit");
  CHECK(parse_memory_array(flash).empty());
  CHECK(parse_memory_array(future).empty());
  CHECK(parse_memory_array("").empty());
  CHECK(parse_memory_array(multi_bit.substr(0, 6)).empty());
}

TEST_CASE("firmware: secure boot is on only if the variable says so", "[agent][packages]") {
  CHECK(parse_secure_boot(std::string("\x06\x00\x00\x00\x01", 5)) == "on");
  CHECK(parse_secure_boot(std::string("\x06\x00\x00\x00\x00", 5)) == "off");
  CHECK(parse_secure_boot("").empty());
  CHECK(parse_secure_boot(std::string("\x06\x00\x00\x00", 4)).empty());
}

TEST_CASE("pveversion: version and repository are told apart", "[agent][packages]") {
  CHECK(must(parse_pveversion(
            "pve-manager/9.2.11/3f1c8a5b9d2e7f40 (running kernel: 7.0.14-14-pve)\n")) ==
        PveVersion{.version = "9.2.11", .repository_id = "3f1c8a5b9d2e7f40"});
  CHECK_FALSE(parse_pveversion(""));
  CHECK_FALSE(parse_pveversion("pve-manager/"));
  CHECK_FALSE(parse_pveversion("perl: warning: x\n"));
}

TEST_CASE("control files: values go on, comments may stand between", "[agent][packages]") {
  const auto stanzas = must(parse_deb822("\nTypes: deb\n# note\nSuites: a\n\tb\n \n\nX: y\n"));

  REQUIRE(stanzas.size() == 2);
  CHECK(stanzas[0].line == 2);
  CHECK(stanzas[0].get("suites") == "a\nb");
  CHECK(stanzas[1].get("x") == "y");
  CHECK(stanzas[1].get("z").empty());
}

TEST_CASE("control files: what is no field is an error", "[agent][packages]") {
  const auto* text = GENERATE(" goes on\n", "no field\n", ": x\n", "A: b\n\n c\n", "\xFF\n");

  CHECK_FALSE(parse_deb822(text));
}

TEST_CASE("sources: one-line entries with and without options", "[agent][packages]") {
  const auto sources = must(parse_source_list(
      "# deb http://off x main\n"
      "deb http://deb.debian.org/debian bookworm main contrib # note\n"
      "deb [ arch=amd64 signed-by=/usr/share/keyrings/x.gpg trusted=yes ] https://h/d ./\n"
      "deb-src\thttp://h/d\tstable\tmain\r\n"));

  REQUIRE(sources.size() == 3);
  CHECK(sources[0] == Source{.line = 2,
                             .enabled = true,
                             .types = "deb",
                             .uris = "http://deb.debian.org/debian",
                             .suites = "bookworm",
                             .components = "main contrib"});
  CHECK(sources[1].signed_by == "/usr/share/keyrings/x.gpg");
  CHECK(sources[1].options == "arch=amd64 trusted=yes");
  CHECK(sources[1].suites == "./");
  CHECK(sources[2].types == "deb-src");
  CHECK(must(parse_source_list("\n# nothing\n")).empty());
}

TEST_CASE("sources: a one-line entry that apt would refuse is an error with its line",
          "[agent][packages]") {
  const auto* text = GENERATE("deb\n", "deb http://h\n", "rpm http://h x main\n",
                              "deb [arch=amd64 http://h x\n", "deb [] \n", "\xFF\xFE\n");

  const auto sources = parse_source_list(text);

  REQUIRE_FALSE(sources);
  CHECK(sources.error().sentence().starts_with("line 1"));
}

TEST_CASE("sources: stanzas with a switch and an embedded key", "[agent][packages]") {
  const auto sources = must(parse_sources(
      "Types: deb deb-src\nURIs: https://enterprise.proxmox.com/debian/pve\nSuites: trixie\n"
      "Components: pve-enterprise\nEnabled: no\nSigned-By: /usr/share/keyrings/p.gpg\n\n"
      "Types: deb\nURIs: http://h/a\n http://h/b\nSuites: x y\nComponents: main\n"
      "Architectures: amd64\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"));

  REQUIRE(sources.size() == 2);
  CHECK_FALSE(sources[0].enabled);
  CHECK(sources[0].types == "deb deb-src");
  CHECK(sources[0].signed_by == "/usr/share/keyrings/p.gpg");
  CHECK(sources[1].enabled);
  CHECK(sources[1].uris == "http://h/a http://h/b");
  CHECK(sources[1].signed_by == "embedded");
  CHECK(sources[1].options == "architectures=amd64");
}

TEST_CASE("sources: a stanza without its fields is an error", "[agent][packages]") {
  CHECK_FALSE(parse_sources("Types: deb\nSuites: x\n"));
  CHECK_FALSE(parse_sources("deb http://h x main\n"));
  CHECK(must(parse_sources("# all off\n")).empty());
}

TEST_CASE("pins: entries are read, explanations are not", "[agent][packages]") {
  const auto pins = must(parse_pins(
      "Explanation: why\n\nPackage: nodejs\nPin: origin deb.nodesource.com\nPin-Priority: 600\n"));

  REQUIRE(pins.size() == 1);
  CHECK(pins[0] ==
        Pin{.packages = "nodejs", .pin = "origin deb.nodesource.com", .priority = "600"});
  CHECK_FALSE(parse_pins("Package: x\n"));
}

TEST_CASE("dpkg: states are counted; odd ones and notable packages are named",
          "[agent][packages]") {
  const auto dpkg = must(parse_dpkg_status(
      "Package: bash\nStatus: install ok installed\nVersion: 5\nDescription: x\n Package: no\n\n"
      "Package: zfsutils-linux\nStatus: hold ok installed\nVersion: 2.3\n\n"
      "Package: pve-manager\nStatus: install ok installed\nVersion: 9.2.11\n\n"
      "Package: old\nStatus: deinstall ok config-files\nVersion: 1\n\n"
      "Package: half\nStatus: install ok half-configured\nVersion: 1\n"));

  CHECK(dpkg.counts.at("install ok installed") == 2);
  CHECK(dpkg.counts.at("deinstall ok config-files") == 1);
  REQUIRE(dpkg.packages.size() == 3);
  CHECK(dpkg.packages[0].name == "half");
  CHECK(dpkg.packages[2].status == "hold ok installed");
  CHECK(dpkg.version_of("pve-manager") == "9.2.11");
  CHECK(dpkg.version_of("zfsutils-linux") == "2.3");
  CHECK(dpkg.version_of("half").empty());
}

TEST_CASE("dpkg: what is no list of packages is an error", "[agent][packages]") {
  const auto* text = GENERATE("", "\n\n", "Package: x\n", "Status: install ok installed\n", "\xFF");

  CHECK_FALSE(parse_dpkg_status(text));
}

}  // namespace relab::agent::packages
