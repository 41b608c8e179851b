#include "agent/kinds/support/section_config.h"

#include <fstream>
#include <iterator>

#include "tests/support/must.h"

namespace relab::agent {

TEST_CASE("section config: Proxmox's own files are read whole", "[agent][pve]") {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/pve/storage.cfg");
  REQUIRE(file.good());
  const std::string text{std::istreambuf_iterator<char>(file), {}};

  const auto sections = must(parse_section_config(text, "storage.cfg"));

  REQUIRE(sections.size() == 6);
  CHECK(sections[4].type == "pbs");
  CHECK(sections[4].id == "pbs-tank");
  CHECK(sections[4].value("username") == "pve-backup@pbs!pve");
  CHECK(sections[5].truth("disable"));
  CHECK_FALSE(sections[4].has("disable"));
}

TEST_CASE("section config: empty text has no sections", "[agent][pve]") {
  CHECK(must(parse_section_config("\n# a comment\n", "x")).empty());
}

TEST_CASE("section config: a line that fits nowhere is an error with its number", "[agent][pve]") {
  const auto text = GENERATE("dir: local\n\tpath /x\nsecret\n", "\n\n\tpath /x\n", "\n\n: x\n",
                             "\n\ndir:\n", "\n\ndir: a b\n");

  const auto sections = parse_section_config(text, "storage.cfg");

  REQUIRE_FALSE(sections);
  CHECK(sections.error().what == "line 3 of storage.cfg is neither a section's head nor a value");
}

}  // namespace relab::agent
