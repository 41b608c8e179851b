#include "agent/kinds/support/look_inside.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/support/must.h"
#include "tests/support/sim_guest.h"

namespace relab::agent {

namespace {

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "relab-look-XXXXXX") {
    auto text = path_.string();
    REQUIRE(::mkdtemp(text.data()) != nullptr);
    path_ = text;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Runs the script with this machine's own shell.
std::string real_look(const Folder& folder, const Wanted& wanted) {
  const auto script = folder.write("script", std::string(look_script()));
  std::string line = "sh " + script;
  for (const auto& argument : look_arguments(wanted)) line += " '" + argument + "'";
  const auto answer = folder / "answer";
  REQUIRE(std::system((line + " >" + answer + " 2>/dev/null").c_str()) == 0);
  std::ifstream file(answer);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("look inside: a shell answers with the files as they are", "[agent][look]") {
  const Folder folder;
  std::string binary = "\xff\n.\nend\n";
  binary += '\0';
  binary += "x";
  folder.write("root/a/config.xml", binary);
  folder.write("root/b c/config.xml", "two words\n");
  folder.write("root/c/other", "not wanted");
  folder.write("root/d/config.xml", std::string(gathered_size_max + 1, 'x'));
  folder.write("root/e/config.xml", "");

  const auto found = must(
      parse_look(real_look(folder, {.contents = {folder / "root/*/config.xml", folder / "none/*"},
                                    .names = {folder / "root/*/other", folder / "root/z"}})));

  CHECK(found.contents.size() == 3);
  CHECK(found.contents.at(folder / "root/a/config.xml") == binary);
  CHECK(found.contents.at(folder / "root/b c/config.xml") == "two words\n");
  CHECK(found.contents.at(folder / "root/e/config.xml").empty());
  CHECK(found.names == std::set<std::string>{folder / "root/c/other"});
  CHECK(found.unreadable.contains(folder / "root/d/config.xml"));
}

TEST_CASE("look inside: a shell takes literal paths as they are", "[agent][look]") {
  const Folder folder;
  folder.write("root/[ab]*/x", "1");
  folder.write("root/a1/x", "2");

  const auto found = must(parse_look(
      real_look(folder, {.contents = {folder / "root/[ab]*/x"}, .names = {}, .literal = true})));

  CHECK(found.contents.size() == 1);
  CHECK(found.contents.at(folder / "root/[ab]*/x") == "1");
}

TEST_CASE("look inside: dangling links are lost, not absent", "[agent][look]") {
  const Folder folder;
  folder.write("root/x", "");
  std::filesystem::create_symlink("nowhere", folder / "root/config.xml");

  const auto found =
      must(parse_look(real_look(folder, {.contents = {folder / "root/config.xml"}, .names = {}})));

  CHECK(found.unreadable.contains(folder / "root/config.xml"));
}

TEST_CASE("look inside: an answer that is cut off is an error", "[agent][look]") {
  const std::string whole = "name /a\nfile /b\naGVsbG8=\n.\nend\n";
  REQUIRE(must(parse_look(whole)).contents.at("/b") == "hello");
  const auto size = GENERATE(range(std::size_t{0}, std::size_t{31}));

  // "end" without its line feed is whole.
  CHECK(parse_look(whole.substr(0, size)).has_value() == (size == whole.size() - 1));
}

TEST_CASE("look inside: an answer of another form is an error", "[agent][look]") {
  const auto text =
      GENERATE("sh: syntax error\nend\n", "file /a\n!!!\n.\nend\n", "end\nname /a\n", "");

  CHECK(parse_look(text).error().fault == Fault::damaged);
}

TEST_CASE("look inside: the failure of pct never repeats standard output", "[agent][look]") {
  SimHost host;
  host.program("pct",
               Output{.status = 1, .out = "file canary", .err = "container '112' not running!\n"});

  const auto found = look_inside(host, 112, {});

  REQUIRE_FALSE(found);
  CHECK_THAT(found.error().sentence(),
             Catch::Contains("not running!") && !Catch::Contains("canary"));
}

TEST_CASE("look inside: a container is asked in one call without its host's environment",
          "[agent][look]") {
  SimHost guest;
  guest.file("/etc/hostname", "sonarr\n");
  SimHost host;
  host.program("pct", containers({{"130", &guest}}));

  const auto found = must(look_inside(host, 130, {.contents = {"/etc/host*"}, .names = {"/etc"}}));

  CHECK(found.contents.at("/etc/hostname") == "sonarr\n");
  REQUIRE(host.ran().size() == 1);
  CHECK_THAT(host.ran()[0], Catch::StartsWith("pct exec 130 --keep-env 0 -- sh -c "));
}

}  // namespace relab::agent
