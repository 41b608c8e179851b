// The small things that everything stands on.

#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab {

namespace {

std::string read(const std::filesystem::path& path) { return must(read_small_file(path)); }

std::size_t names_in(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator entries(folder);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

TEST_CASE("id: version 7 of a UUID, with the millisecond in front", "[common][base]") {
  const auto at = instant_of(0x0199'8877'6655);

  const auto id = TaskId::make(at);

  CHECK(id.text().starts_with("01998877-6655-7"));
  CHECK((id.bytes[8] & 0xC0U) == 0x80);
  CHECK(id.text().size() == 36);
  CHECK(must(parse_uuid(id.text())) == id.bytes);
  CHECK(id.text().ends_with(id.brief()));
}

TEST_CASE("id: later ones sort behind earlier ones, and no two are the same", "[common][base]") {
  std::set<TaskId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(TaskId::make(instant_of(5)));

  CHECK(ids.size() == 1000);
  CHECK(*ids.rbegin() < TaskId::make(instant_of(6)));
  CHECK(TaskId::make(instant_of(255)) < TaskId::make(instant_of(256)));
}

TEST_CASE("id: what is none is refused", "[common][base]") {
  CHECK(TaskId::from(Bytes(15)).error().fault == Fault::damaged);
  CHECK(TaskId::from(Bytes(17)).error().fault == Fault::damaged);
  CHECK_FALSE(parse_uuid(""));
  CHECK_FALSE(parse_uuid("01998877-6655-7abc-9def-0123456789a"));
  CHECK_FALSE(parse_uuid("01998877-6655-7abc-9def-0123456789abc"));
  CHECK_FALSE(parse_uuid("g1998877-6655-7abc-9def-0123456789ab"));
}

TEST_CASE("text: what is clean UTF-8 and what is not", "[common][base]") {
  const auto row = GENERATE(table<std::string, bool>({
      {"", true},
      {"plain", true},
      {"\t\r\n\x01\x7F", true},
      {std::string(1, '\0'), false},
      {"\xC2\x80", true},               // U+0080, the least of two bytes
      {"\xC1\xBF", false},              // overlong
      {"\xC0\x80", false},              // overlong NUL
      {"\xDF\xBF", true},               // U+07FF
      {"\xE0\xA0\x80", true},           // U+0800
      {"\xE0\x9F\xBF", false},          // overlong
      {"\xED\x9F\xBF", true},           // U+D7FF
      {"\xED\xA0\x80", false},          // the first surrogate
      {"\xED\xBF\xBF", false},          // the last surrogate
      {"\xEE\x80\x80", true},           // U+E000
      {"\xEF\xBF\xBF", true},           // U+FFFF
      {"\xF0\x90\x80\x80", true},       // U+10000
      {"\xF0\x8F\xBF\xBF", false},      // overlong
      {"\xF4\x8F\xBF\xBF", true},       // U+10FFFF
      {"\xF4\x90\x80\x80", false},      // beyond
      {"\xF5\x80\x80\x80", false},      // a lead byte that does not exist
      {"\xF8\x88\x80\x80\x80", false},  // five bytes
      {"\xFF", false},
      {"\xFE", false},
      {"\x80", false},  // a follower alone
      {"\xC3", false},  // cut short
      {"\xE2\x82", false},
      {"\xF0\x9F\x98", false},
      {"\xC3(", false},
      {"ok\xE2\x82\xACok", true},
  }));
  const auto& [text, clean] = row;

  CHECK(is_clean_text(text) == clean);
  CHECK(is_clean_text(clean_text(text)));
  CHECK((clean_text(text) == text) == clean);
}

TEST_CASE("text: only the bytes that are not clean are replaced", "[common][base]") {
  CHECK(clean_text("a\xFFz") == "a\xEF\xBF\xBDz");
  CHECK(clean_text("\xE2\x82!") == "\xEF\xBF\xBD\xEF\xBF\xBD!");
}

TEST_CASE("text: splitting keeps what is empty, words do not", "[common][base]") {
  using Parts = std::vector<std::string_view>;

  CHECK(split("", ':') == Parts{""});
  CHECK(split("a::b:", ':') == Parts{"a", "", "b", ""});
  CHECK(lines("").empty());
  CHECK(lines("\n") == Parts{""});
  CHECK(lines("a\nb") == Parts{"a", "b"});
  CHECK(lines("a\n\nb\n") == Parts{"a", "", "b"});
  CHECK(words(" a \t b ") == Parts{"a", "b"});
  CHECK(words(" \t ").empty());
  CHECK(trim(" \t\r\n\v\fa b\n") == "a b");
  CHECK(trim(" \n").empty());
}

TEST_CASE("bytes: hexadecimal there and back", "[common][base]") {
  CHECK(hex(Bytes{0x00, 0x7F, 0xFF}) == "007fff");
  CHECK(must(parse_hex("007FfF")) == Bytes{0x00, 0x7F, 0xFF});
  CHECK(must(parse_hex("")).empty());
  const auto wrong = GENERATE(as<std::string>(), "0", "0g", "-1", "+1", " 1", "1 ", "0x", "001");
  CHECK(parse_hex(wrong).error().fault == Fault::invalid);
}

TEST_CASE("number: the whole text is one number that fits, or it is none", "[common][base]") {
  CHECK(must(parse_number<std::uint8_t>("255")) == 255);
  CHECK(must(parse_number<std::int64_t>("-9223372036854775808")) == INT64_MIN);
  CHECK(must(parse_number<std::uint64_t>("18446744073709551615")) == UINT64_MAX);
  CHECK(must(parse_number<unsigned>("ff", 16)) == 255);
  CHECK(parse_number<std::uint8_t>("256").error().what == "'256' is out of range");
  const auto wrong =
      GENERATE(as<std::string>(), "", " ", "1 ", " 1", "+1", "-1", "1.0", "0x1", "1e3", "one");
  CHECK(parse_number<std::uint32_t>(wrong).error().fault == Fault::invalid);
}

TEST_CASE("time: ISO 8601 in UTC", "[common][base]") {
  CHECK(iso8601(instant_of(0)) == "1970-01-01T00:00:00Z");
  CHECK(iso8601(instant_of(1'709'210'096'999)) == "2024-02-29T12:34:56Z");
  CHECK(iso8601(instant_of(4'102'444'799'000)) == "2099-12-31T23:59:59Z");
}

TEST_CASE("time: a text is read as the instant that it was made of", "[common][base]") {
  CHECK(instant_from("2024-02-29T12:34:56Z") == instant_of(1'709'210'096'000));
  CHECK(instant_from("2024-02-29T12:34:56") == instant_of(1'709'210'096'000));
  CHECK(instant_from("2024-02-29T12:34") == instant_of(1'709'210'040'000));
  CHECK(instant_from("1970-01-01") == instant_of(0));
}

TEST_CASE("time: what is no day or time of the calendar is none", "[common][base]") {
  const auto* text = GENERATE("", "yesterday", "2023-02-29", "2024-13-01", "2024-1-1",
                              "2024-02-29T", "2024-02-29Z", "2024-02-29 12:34", "2024-02-29T24:00",
                              "2024-02-29T12:60", "2024-02-29T12:34:60", "2024-02-29T12",
                              "2024-02-29T1:2", "2024-02-29T12:34:56Zulu", "+024-02-29");
  CHECK_FALSE(instant_from(text));
}

TEST_CASE("time: spans and sizes for people", "[common][base]") {
  const auto row = GENERATE(table<std::int64_t, std::string>({{0, "0 ms"},
                                                              {999, "999 ms"},
                                                              {1000, "1 s"},
                                                              {59'999, "59 s"},
                                                              {60'000, "1 min 0 s"},
                                                              {3'599'999, "59 min 59 s"},
                                                              {3'600'000, "1 h 0 min"},
                                                              {86'400'000, "1 d 0 h"},
                                                              {-1000, "-1 s"}}));
  CHECK(human(Millis(std::get<0>(row))) == std::get<1>(row));
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1024) == "1.0 KiB");
  CHECK(human_bytes(2'000'398'934'016) == "1.8 TiB");
  CHECK(human_bytes(UINT64_MAX) == "16.0 EiB");
}

TEST_CASE("file: what is replaced is whole and the owner's alone", "[common][base]") {
  const Scratch scratch;
  const auto path = scratch.path() / "file";
  must(replace_file(path, "old"));
  REQUIRE(::chmod(path.c_str(), 0644) == 0);

  must(replace_file(path, std::string("new\0and longer", 14)));

  CHECK(read(path) == std::string("new\0and longer", 14));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600);
  CHECK(names_in(scratch.path()) == 1);
}

TEST_CASE("file: a replacement that fails leaves the old file, and nothing beside it",
          "[common][base]") {
  const Scratch scratch;
  const auto folder = scratch.path() / "folder";
  std::filesystem::create_directory(folder);
  must(replace_file(folder / "inside", "x"));

  CHECK(replace_file(scratch.path() / "none" / "file", "x").error().fault == Fault::missing);
  CHECK_FALSE(replace_file(folder, "x"));

  CHECK(read(folder / "inside") == "x");
  CHECK(names_in(scratch.path()) == 1);
}

TEST_CASE("file: a link is replaced, not what it points to", "[common][base]") {
  const Scratch scratch;
  must(replace_file(scratch.path() / "target", "precious"));
  std::filesystem::create_symlink("target", scratch.path() / "link");

  must(replace_file(scratch.path() / "link", "new"));

  CHECK(read(scratch.path() / "target") == "precious");
  CHECK(read(scratch.path() / "link") == "new");
}

TEST_CASE("file: reading keeps to its limit and to regular files", "[common][base]") {
  const Scratch scratch;
  const auto path = scratch.path() / "file";
  must(replace_file(path, "12345"));
  REQUIRE(::mkfifo((scratch.path() / "pipe").c_str(), 0600) == 0);

  CHECK(must(read_small_file(path, 5)) == "12345");
  CHECK(read_small_file(path, 4).error().fault == Fault::invalid);
  CHECK(read_small_file(scratch.path() / "none").error().fault == Fault::missing);
  CHECK(read_small_file(scratch.path()).error().fault == Fault::invalid);
  CHECK(read_small_file(scratch.path() / "pipe").error().fault == Fault::invalid);
}

TEST_CASE("file: folders are made for the owner only", "[common][base]") {
  const Scratch scratch;
  const auto path = scratch.path() / "a" / "b";

  must(make_private_folder(path));
  must(make_private_folder(path));

  struct stat info {};
  REQUIRE(::stat((scratch.path() / "a").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700);
  must(replace_file(scratch.path() / "file", "x"));
  CHECK_FALSE(make_private_folder(scratch.path() / "file"));
  CHECK_FALSE(make_private_folder(scratch.path() / "file" / "x"));
  CHECK(must(free_bytes(scratch.path())) > 0);
  CHECK(free_bytes(scratch.path() / "none").error().fault == Fault::missing);
}

TEST_CASE("error: one line says what was being done, outermost first", "[common][base]") {
  const auto inner = []() -> Result<int> { return fail(Fault::missing, "there is no x"); };
  const auto failed = inner().during("reading x").during("starting");

  CHECK(failed.error().sentence() == "starting: reading x: there is no x");
  CHECK(must(Result<int>(3).during("nothing")) == 3);
}

}  // namespace relab
