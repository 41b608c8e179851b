#include "agent/kinds/support/section_config.h"

#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent {

TEST_CASE("section files: Proxmox's own are read", "[agent][support]") {
  const auto storages = must(parse_section_config(sample("pve/storage.cfg")));
  const auto jobs = must(parse_section_config(sample("pve/jobs.cfg")));

  REQUIRE(storages.size() == 6);
  CHECK(storages[0].type == "dir");
  CHECK(storages[0].id == "local");
  CHECK(storages[0].get("content") == "iso,vztmpl,backup,snippets");
  CHECK(storages[5].has("disable"));
  CHECK(storages[5].get("disable").empty());
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[1].get("comment") == "weekly media stack");
  CHECK_FALSE(jobs[0].has("comment"));
  CHECK(must(parse_section_config(sample("pve/datastore.cfg"))).size() == 2);
  CHECK(must(parse_section_config(sample("pve/prune.cfg"))).size() == 2);
  CHECK(must(parse_section_config(sample("pve/verification.cfg"))).size() == 1);
}

TEST_CASE("section files: comments, spaces and CR LF are taken", "[agent][support]") {
  const auto sections =
      must(parse_section_config("# head\r\ndir: a\r\n  path   /x y \r\n\t# no\r\n\r\ndir:b\r\n"));

  REQUIRE(sections.size() == 2);
  CHECK(sections[0].get("path") == "/x y");
  CHECK(sections[0].properties.size() == 1);
  CHECK(sections[1].id == "b");
}

TEST_CASE("section files: an empty file has no sections", "[agent][support]") {
  CHECK(must(parse_section_config("")).empty());
  CHECK(must(parse_section_config("\n\n")).empty());
}

TEST_CASE("section files: what is not the format is an error with its line", "[agent][support]") {
  const auto* text = GENERATE("\tpath /x\n", "dir local\n", "dir:\n", ": x\n", "dir: a b\n",
                              "dir: a\n\n\tpath /x\n", "dir: a\n\tx 1\n\tx 2\n", "d x: a\n");

  const auto sections = parse_section_config(text);

  REQUIRE_FALSE(sections);
  CHECK(sections.error().sentence().starts_with("line "));
}

}  // namespace relab::agent
