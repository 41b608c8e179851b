// What relab itself adds to a lab file.

#include "controller/lab/additions.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <vector>

#include "controller/lab/lab.h"
#include "tests/support/must.h"

namespace relab::lab {

namespace {

/// The reference lab, with something replaced.
Message<schema::Lab> example_with(const std::string& what = "", const std::string& instead = "") {
  const auto root = std::filesystem::path(RELAB_TEST_DATA).parent_path().parent_path();
  std::ostringstream text;
  text << std::ifstream(root / "examples/z640/lab.toml", std::ios::binary).rdbuf();
  auto toml = text.str();
  if (!what.empty()) {
    REQUIRE(toml.find(what) != std::string::npos);
    toml.replace(toml.find(what), what.size(), instead);
  }
  auto reading = parse_lab(toml, "lab.toml");
  for (const auto& mistake : reading.mistakes) UNSCOPED_INFO(to_string(mistake));
  REQUIRE(reading.lab);
  return std::move(*reading.lab);
}

schema::Lab::Phase::Reader phase(const Message<schema::Lab>& lab, std::string_view name) {
  for (const auto phase : lab.reader().getPlan().getPhases())
    if (view(phase.getName()) == name) return phase;
  FAIL("no phase " << name);
  return {};
}

/// "data.survives absolute 604800"
std::vector<std::string> gate_of(const Message<schema::Lab>& lab, std::string_view name) {
  std::vector<std::string> gate;
  for (const auto condition : phase(lab, name).getGate())
    gate.push_back(fmt::format("{}{} {}", view(condition.getName()),
                               condition.getAbsolute() ? " absolute" : "", condition.getMaxAge()));
  std::ranges::sort(gate);
  return gate;
}

const std::string installs = "installs = [\"z640\"]";
const std::vector<std::string> all_proofs = {
    "audit.complete absolute 604800",  "backup.drilled 604800",
    "backup.verified absolute 604800", "data.survives absolute 604800",
    "key.proven absolute 604800",      "pools.intact 604800"};

}  // namespace

TEST_CASE("additions: a phase that installs asks for every proof, whatever its file says",
          "[controller][lab]") {
  CHECK(gate_of(example_with(), "1") == all_proofs);
  CHECK(gate_of(example_with(installs, installs + "\ngate = []"), "1") == all_proofs);
  CHECK(gate_of(example_with(), "2").empty());
}

TEST_CASE("additions: what the file asks for keeps its age, and what is absolute stays so",
          "[controller][lab]") {
  const auto lab =
      example_with(installs, installs +
                                 "\ngate = [{ name = \"data.survives\", max_age = \"1h\" }, "
                                 "{ name = \"pools.intact\", absolute = true }]");

  auto expected = all_proofs;
  expected[3] = "data.survives absolute 3600";
  expected[5] = "pools.intact absolute 86400";
  CHECK(gate_of(lab, "1") == expected);
}

TEST_CASE("additions: a phase that destroys asks for the same in a lab with data",
          "[controller][lab]") {
  const auto lab = example_with(installs + "\n", "");
  CHECK(gate_of(lab, "1").empty());

  const auto wiping = example_with(
      "title = \"Installation that never touches data1 to data4\", agent = \"z640\" }",
      "title = \"x\", agent = \"z640\", steps = [{ name = \"s\", task.wipe_disk = { serial = "
      "\"S2RANX0H500001A\" } }] }");
  CHECK(gate_of(wiping, "1") == all_proofs);
  CHECK(is_guarded(phase(wiping, "1")));
  CHECK_FALSE(is_guarded(phase(wiping, "2")));
}

TEST_CASE("additions: a look without paths is at all that the file keeps", "[controller][lab]") {
  const auto lab = example_with(
      "[[plan.phases]]\nname = \"0a\"",
      "[[keep]]\npath = \"/srv/photos\"\n[[keep]]\npath = \"/srv/old\"\nlose = true\n"
      "[[keep]]\npath = \"/var/lib/grafana\"\nvmid = 102\n\n[[plan.phases]]\nname = \"0a\"");

  std::vector<std::string> paths;
  for (const auto track : phase(lab, "0a").getTracks())
    for (const auto step : track.getSteps())
      if (step.getTask().isPathCheck())
        for (const auto place : step.getTask().getPathCheck().getPaths())
          paths.push_back(fmt::format("{} {}", view(place.getPath()), place.getVmid()));
  CHECK(paths == std::vector<std::string>{"/root 0", "/srv/photos 0", "/var/lib/grafana 102"});
}

}  // namespace relab::lab
