#include "controller/lab/lab.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "common/base/number.h"
#include "tests/support/must.h"

namespace relab::lab {

namespace {

const std::filesystem::path root =
    std::filesystem::path(RELAB_TEST_DATA).parent_path().parent_path();
const std::filesystem::path example = root / "examples/z640/lab.toml";

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string transcript(const Reading& reading) {
  std::string text;
  for (const auto& mistake : reading.mistakes) text += to_string(mistake) + "\n";
  return text;
}

}  // namespace

TEST_CASE("lab file: the reference lab is accepted, whole", "[controller][lab]") {
  const auto reading = read_lab(example);

  CHECK(transcript(reading).empty());
  REQUIRE(reading.lab);
  const auto lab = reading.lab->reader();
  CHECK(lab.getNetwork().getVlans().size() == 3);
  CHECK(lab.getDisks().size() == 7);
  CHECK(lab.getGuests().size() == 7);
  CHECK(lab.getPlan().getPhases().size() == 8);
  CHECK(lab.getPlan().getPhases()[0].getTracks().size() == 12);
}

TEST_CASE("lab file: values arrive in the units of the schema", "[controller][lab]") {
  const auto reading = read_lab(example);
  REQUIRE(reading.lab);
  const auto lab = reading.lab->reader();

  CHECK(lab.getDisks()[0].getSize() == 500'000'000'000);
  CHECK(lab.getHosts()[0].getMemory() == std::uint64_t{64} << 30U);
  CHECK(lab.getDisks()[0].getRole() == schema::Lab::Disk::Role::OS);
  const auto phase = lab.getPlan().getPhases()[0];
  CHECK(phase.getProves()[0].getMaxAge() == 86400);
  CHECK(phase.getTracks()[0].getSteps()[0].getDeadline() == 900);
  CHECK(phase.getTracks()[0].getSteps()[0].getTask().isAuditZfs());
}

TEST_CASE("lab file: the reference lab passes as a message from outside", "[controller][lab]") {
  const auto reading = read_lab(example);
  REQUIRE(reading.lab);

  CHECK(Message<schema::Lab>::parse(reading.lab->bytes()));
}

TEST_CASE("lab file: nesting up to the bounds is read, not overflowed", "[controller][lab]") {
  std::string dots;
  for (int i = 0; i < 16; ++i) dots += "a.";
  std::string text;
  for (int i = 0; i < 60; ++i) text += (i == 0 ? "" : "{") + dots + "a = ";
  text += "1" + std::string(59, '}');

  const auto reading = parse_lab(text, "x");

  REQUIRE_FALSE(reading.mistakes.empty());
  CHECK(reading.mistakes[0].what == "unknown key 'a'");
}

TEST_CASE("lab file: every section of the pre-audit has a track of its own", "[controller][lab]") {
  const auto reading = read_lab(example);
  REQUIRE(reading.lab);
  const auto lab = reading.lab->reader();

  std::vector<std::string> expected;
  for (const auto section : lab.getHosts()[0].getExpect()) expected.push_back(str(section));
  std::vector<std::string> audited;
  for (const auto track : lab.getPlan().getPhases()[0].getTracks())
    if (!track.getSteps()[0].getTask().isPathCheck())
      audited.push_back(str(track.getSteps()[0].getName()));

  CHECK(audited == expected);
}

TEST_CASE("lab file: an agent's endpoint has a port", "[controller][lab]") {
  const auto reading = read_lab(example);
  REQUIRE(reading.lab);

  CHECK(must(agent_endpoint(reading.lab->reader(), "z640")) == "tcp://10.42.10.2:7460");
  CHECK(must(agent_endpoint(reading.lab->reader(), "trillian")) == "tcp://10.42.60.12:7460");
  CHECK(agent_endpoint(reading.lab->reader(), "zaphod").error().fault == Fault::missing);
}

TEST_CASE("lab file: what cannot be read is one mistake", "[controller][lab]") {
  const auto [path, what] = GENERATE(table<std::string, std::string>({
      {"/nonexistent/lab.toml", "there is no such file"},
      {"/", "this is a directory"},
      {"/dev/null", "this is no regular file"},
      {"", "there is no such file"},
  }));

  const auto reading = read_lab(path);

  CHECK_FALSE(reading.lab);
  REQUIRE(reading.mistakes.size() == 1);
  CHECK(reading.mistakes[0].what == what);
}

TEST_CASE("lab file: bytes that are no TOML are one mistake", "[controller][lab]") {
  const auto [text, said] = GENERATE(table<std::string, std::string>({
      {"", "x:1:1: the file is empty"},
      {"\xEF\xBB\xBFname = \"a\"", "x:1:1: the file starts with a byte order mark"},
      {std::string("\xFF\xFEn\0", 4), "x:1:1: the file starts with a byte order mark"},
      {"a = 1\nb = \"\xE9\"", "x:2:6: this byte is not UTF-8 text"},
      {std::string("a = 1\n\0", 7), "x:2:1: this byte is not UTF-8 text"},
      {"name = \"half", "x:1:13: "},
      {"a = 1\na = 2\n", "x:2:5: "},
      {"a" + std::string(100000, '['), "x:1:2: "},
      {"a = " + std::string(100000, '['), "x:1:"},
      {"a" + std::string(100000, '.'), "x:1:18: keys are nested deeper than 16 levels"},
      {"'''\n''' = 1\n[a" + std::string(50, '.') + "]", "x:"},
      {"[.a]", "x:1:2: a table header needs a key"},
      {"a = [\n[1],\n[.5]]\n [[ #b\n]]", "x:4:5: a table header needs a key"},
      {"'\u0489' = 1 # \u0489\na\u0489 = 1", "x:2:2: this character can stand only in quotes"},
      {"a = 0b1'\u00c5'", "x:1:8: a quote cannot stand in the middle of a word or number"},
      {"a = 2&\"\u00c5\" = 1", "x:1:7: a quote cannot stand in the middle of a word or number"},
      {"[a", "x:1:3: "},
      {"[]", "x:1:2: "},
      {std::string((4U << 20U) + 1, '#'), "x:1:1: the file has 4194305 bytes, more than 4194304"},
  }));

  const auto reading = parse_lab(text, "x");

  CHECK_FALSE(reading.lab);
  REQUIRE(reading.mistakes.size() == 1);
  CHECK_THAT(to_string(reading.mistakes[0]), Catch::StartsWith(said));
}

TEST_CASE("lab file: a file cut off before its plan is never accepted", "[controller][lab]") {
  const auto text = content(example);
  const auto plan = text.find("[[plan.phases]]\nname = \"0b\"");
  REQUIRE(plan != std::string::npos);

  for (std::size_t size = 0; size < plan - 200; size += 211) {
    const auto reading = parse_lab(std::string_view(text).substr(0, size), "x");
    CHECK_FALSE(reading.lab);
    CHECK_FALSE(reading.mistakes.empty());
  }
}

TEST_CASE("lab file: mistakes without number are counted, not kept", "[controller][lab]") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "k" + std::to_string(i) + " = 1\n";

  const auto reading = parse_lab(text, "x");

  REQUIRE(reading.mistakes.size() == 1001);
  CHECK(reading.mistakes.back().what.starts_with("there are 200"));
}

TEST_CASE("lab file: every broken lab gets exactly its messages", "[controller][lab]") {
  const auto* accept = std::getenv("RELAB_ACCEPT");
  unsigned count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "tests/golden/lab")) {
    if (entry.path().extension() != ".toml") continue;
    ++count;
    auto golden = entry.path();
    golden.replace_extension(".txt");
    INFO(entry.path().filename());

    const auto reading = parse_lab(content(entry.path()), entry.path().filename().string());
    const auto said = transcript(reading);

    CHECK(reading.lab.has_value() == reading.mistakes.empty());
    if (accept != nullptr) {
      std::ofstream(golden, std::ios::binary) << said;
    } else {
      CHECK(said == content(golden));
    }
  }
  CHECK(count > 20);
}

}  // namespace relab::lab
