#include "agent/kinds/zfs/send_stream.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/zfs/volume_contents.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"
#include "tests/support/seed.h"
#include "tests/support/send_stream_builder.h"

namespace relab::agent::zfs {

namespace {

/// What is known after bytes that may be no stream at all.
struct Reading {
  Result<SendStream> verdict;
  SendStream seen;
  std::uint64_t good_until;
};

Reading read_all(const std::string& bytes, Scrutiny scrutiny, std::size_t piece = 1U << 20U) {
  SendStreamReader reader(scrutiny);
  const auto all = std::as_bytes(std::span(bytes));
  for (std::size_t at = 0; at < all.size(); at += piece)
    if (!reader.feed(all.subspan(at, std::min(piece, all.size() - at)))) break;
  auto seen = reader.so_far();
  const auto good_until = reader.good_until();
  return {.verdict = std::move(reader).finish(), .seen = std::move(seen), .good_until = good_until};
}

Result<SendStream> read(const std::string& bytes, Scrutiny scrutiny = Scrutiny::checksums) {
  return read_all(bytes, scrutiny).verdict;
}

/// The error's sentence, or that there is none.
std::string complaint(const std::string& bytes, Scrutiny scrutiny = Scrutiny::checksums) {
  const auto stream = read(bytes, scrutiny);
  return stream ? "it is whole" : stream.error().sentence();
}

std::string with(std::string bytes, std::size_t at, std::string_view other) {
  return bytes.replace(at, other.size(), other);
}

auto says(const std::string& text) { return Catch::Matchers::Contains(text); }

using Builder = SendStreamBuilder;

}  // namespace

TEST_CASE("send stream: a single one is told", "[agent][zfs]") {
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);
  const auto bytes = raw_send_stream();

  const auto stream = must(read(bytes, scrutiny));

  CHECK_FALSE(stream.is_package);
  CHECK(stream.to_name == "tank/vm@daily");
  CHECK(stream.bytes == bytes.size());
  REQUIRE(stream.substreams.size() == 1);
  const auto& only = stream.substreams[0];
  CHECK(only.to_name == "tank/vm@daily");
  CHECK(only.to_guid == 0x77e1418401e7a39b);
  CHECK(only.from_guid == 0);
  CHECK(only.created == std::chrono::sys_seconds(std::chrono::seconds(0x6b032a3d)));
  CHECK_FALSE(only.is_volume);
  CHECK(only.has(Feature::raw));
  CHECK_FALSE(only.has(Feature::embedded));
  CHECK(only.bytes == bytes.size());
}

TEST_CASE("send stream: a package is told, stream by stream", "[agent][zfs]") {
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);
  const auto bytes = send_package();

  const auto stream = must(read(bytes, scrutiny));

  CHECK(stream.is_package);
  CHECK(stream.to_name == "tank@daily");
  CHECK(stream.bytes == bytes.size());
  CHECK(stream.count(RecordType::begin) == RecordCount{.records = 4, .payload_bytes = 316});
  CHECK(stream.count(RecordType::end) == RecordCount{.records = 5, .payload_bytes = 0});
  REQUIRE(stream.substreams.size() == 3);
  CHECK(stream.substreams[0].to_name == "tank@first");
  CHECK(stream.substreams[1].from_guid == stream.substreams[0].to_guid);
  CHECK(stream.substreams[2].to_name == "tank/vm@daily");
  CHECK(stream.substreams[2].is_volume);
  // All that is not in a stream is the beginning, with its list and END, and the last END.
  CHECK(stream.substreams[0].offset == 2 * record_size + 316);
  CHECK(stream.substreams[1].offset == stream.substreams[0].offset + stream.substreams[0].bytes);
  CHECK(stream.substreams[2].offset + stream.substreams[2].bytes + record_size == bytes.size());
}

TEST_CASE("send stream: payloads are counted as zstream dump counts them", "[agent][zfs]") {
  const auto stream = must(read(plain_send_stream()));

  CHECK(stream.count(RecordType::begin) == RecordCount{1, 0});
  CHECK(stream.count(RecordType::end) == RecordCount{1, 0});
  CHECK(stream.count(RecordType::object) == RecordCount{1, 48});
  CHECK(stream.count(RecordType::free_objects) == RecordCount{1, 0});
  CHECK(stream.count(RecordType::write) == RecordCount{2, 1024});
  CHECK(stream.count(RecordType::write_embedded) == RecordCount{1, 56});
  CHECK(stream.count(RecordType::free) == RecordCount{1, 0});
  CHECK(stream.count(RecordType::spill) == RecordCount{1, 512});
  CHECK(stream.count(RecordType::redact) == RecordCount{1, 0});
  std::uint64_t total = 0;
  for (const auto& count : stream.counts)
    total += count.records * record_size + count.payload_bytes;
  CHECK(stream.bytes == total);
  CHECK(must(read(raw_send_stream())).count(RecordType::object) == RecordCount{1, 192});
  CHECK(must(read(raw_send_stream())).count(RecordType::spill) == RecordCount{1, 512});
}

// The first records of a real package: its list was encoded again from what zstream dump printed of
// it. The END's checksum is what dump printed, too, so that it only fits if every byte is right.
TEST_CASE("send stream: the beginnings of real packages have the right checksum", "[agent][zfs]") {
  const auto* version = GENERATE("2.1.11", "2.3.9");
  const auto bytes = sample(std::string("zfs/") + version + "/send-R-beginning.bin");

  const auto reading = read_all(bytes, Scrutiny::checksums);

  CHECK(bytes.size() == 2 * record_size + 3136);
  CHECK(reading.good_until == bytes.size());
  CHECK(reading.seen.is_package);
  CHECK(reading.seen.to_name == "datapool@pre-rebuild");
  CHECK(reading.seen.substreams.empty());
  REQUIRE_FALSE(reading.verdict);
  CHECK(reading.verdict.error().what ==
        "the stream stops at byte 3760, before the END of the package 'datapool@pre-rebuild'");
  CHECK_THAT(complaint(with(bytes, 2000, "?")),
             says("the checksum of the END record at byte 3448"));
}

TEST_CASE("send stream: real ones of both versions are whole, and a bit more is noticed",
          "[agent][zfs]") {
  struct Real {
    const char* file;
    bool package;
    std::size_t substreams;
    bool raw;
  };
  const auto real = GENERATE(values<Real>({{"2.1.11/streams/R.zfs", true, 9, true},
                                           {"2.1.11/streams/cLe.zfs", false, 1, false},
                                           {"2.1.11/streams/plain.zfs", false, 1, false},
                                           {"2.1.11/streams/single.zfs", false, 1, true},
                                           {"2.3.9/streams/raw-R.zfs", true, 4, true},
                                           {"2.3.9/streams/volume.zfs", false, 1, false}}));
  INFO(real.file);
  const auto bytes = sample(std::string("zfs/") + real.file);

  const auto stream = must(read(bytes, Scrutiny::checksums));

  CHECK(stream.is_package == real.package);
  CHECK(stream.substreams.size() == real.substreams);
  for (const auto& part : stream.substreams) CHECK(part.has(Feature::raw) == real.raw);
  for (const auto at : {bytes.size() / 3, bytes.size() / 2, bytes.size() - 400}) {
    auto flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    CHECK_FALSE(read(flipped, Scrutiny::checksums));
  }
  CHECK_FALSE(read(bytes.substr(0, bytes.size() - 1), Scrutiny::checksums));
}

TEST_CASE("volume contents: of a real stream of a volume", "[agent][zfs]") {
  SimHost host;
  const auto bytes = sample("zfs/2.3.9/streams/volume.zfs");
  host.program("zfs", [&](const Command&) { return Output{.out = bytes}; });

  const auto contents = must(read_volume(host, "datapool/small/vol@two"));

  // Four blocks of the volume, and what ZFS keeps of its size.
  CHECK(contents.bytes >= 16384);
  CHECK(contents == must(read_volume(host, "elsewhere@two")));
  auto other = bytes;
  other[bytes.find(std::string(4, '\0')) + 9000] ^= 1;
  host.program("zfs", [&](const Command&) { return Output{.out = other}; });
  const auto changed = read_volume(host, "datapool/small/vol@two");
  CHECK((!changed || *changed != contents));
}

TEST_CASE("send stream: pieces of any size give the same", "[agent][zfs]") {
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);
  const auto bytes = GENERATE(plain_send_stream(), raw_send_stream(), send_package());
  const auto whole = must(read(bytes, scrutiny));

  for (std::size_t piece = 1; piece < 700; ++piece)
    REQUIRE(must(read_all(bytes, scrutiny, piece).verdict) == whole);
}

TEST_CASE("send stream: cut off anywhere it is not whole, and says where it stops",
          "[agent][zfs]") {
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);
  const auto bytes = GENERATE(plain_send_stream(), raw_send_stream(), send_package());
  const auto all = std::as_bytes(std::span(bytes));
  SendStreamReader reader(scrutiny);

  CHECK(complaint("", scrutiny) == "the stream is empty");
  for (std::size_t size = 1; size < all.size(); ++size) {
    must(reader.feed(all.subspan(size - 1, 1)));
    const auto stream = SendStreamReader(reader).finish();
    if (stream) FAIL("whole after " << size << " bytes");
    if (!stream.error().what.starts_with(fmt::format("the stream stops at byte {}, ", size)))
      FAIL(stream.error().what << " after " << size << " bytes");
  }
}

TEST_CASE("send stream: cut off, it says what was to come", "[agent][zfs]") {
  const auto stream = Builder().package("tank@a", 100).begin({.to_name = "tank@a"}).write(512);
  const auto cut = [&](std::size_t size) { return complaint(stream.bytes().substr(0, size)); };

  CHECK(cut(300) == "the stream stops at byte 300, within the record at byte 0");
  CHECK(cut(400) ==
        "the stream stops at byte 400, 12 bytes before the end of the payload of the BEGIN record "
        "at byte 0");
  CHECK(cut(412) == "the stream stops at byte 412, before the END of 'tank@a'");
  CHECK(cut(724) == "the stream stops at byte 724, before the END of the package 'tank@a'");
  CHECK(cut(1036) == "the stream stops at byte 1036, before the END of 'tank@a'");
  CHECK(cut(1540) ==
        "the stream stops at byte 1540, 320 bytes before the end of the payload of the WRITE "
        "record at byte 1036");
}

TEST_CASE("send stream: any one bit that is wrong is found by a checksum", "[agent][zfs]") {
  auto bytes = GENERATE(plain_send_stream(), raw_send_stream(), send_package());
  const auto all = std::as_bytes(std::span(bytes));
  SendStreamReader before(Scrutiny::checksums);

  for (std::size_t at = 0; at < all.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const auto right = bytes[at];
      bytes[at] = static_cast<char>(static_cast<unsigned char>(right) ^ 1U << bit);
      auto reader = before;
      const auto fed = reader.feed(all.subspan(at));
      // What was called good was good.
      if (reader.good_until() > at) FAIL("byte " << at << " is called good");
      if (std::move(reader).finish()) FAIL("bit " << bit << " of byte " << at);
      bytes[at] = right;
    }
    must(before.feed(all.subspan(at, 1)));
  }
  must(SendStreamReader(before).finish());
}

// Without checksums, what does not say where the next record is can be anything: payloads, the
// checksums themselves, and of a record all but its type, its sizes and whose it is.
TEST_CASE("send stream: the structure finds what would be misread", "[agent][zfs]") {
  auto bytes = send_package();
  const auto stream = must(read(bytes));

  for (const auto& substream : stream.substreams) {
    const auto at = static_cast<std::size_t>(substream.offset);
    // The type, the magic number, whether it is a package.
    for (const std::size_t field : {0U, 1U, 2U, 3U, 8U, 9U, 15U, 16U}) {
      const auto wrong = static_cast<char>(bytes[at + field] ^ 3);
      CHECK_FALSE(read(with(bytes, at + field, {&wrong, 1}), Scrutiny::structure));
    }
    // Whose it is: its records say so, too.
    CHECK_FALSE(read(with(bytes, at + 40, "?"), Scrutiny::structure));
  }
  CHECK_FALSE(read(with(bytes, bytes.size() - 1, "?"), Scrutiny::structure));
  // A byte of its list, the time, the last of a payload.
  CHECK(read(with(bytes, 400, "?"), Scrutiny::structure));
  CHECK(read(with(bytes, static_cast<std::size_t>(stream.substreams[0].offset) + 24, "?"),
             Scrutiny::structure));
  CHECK(read(with(bytes, bytes.size() - 2 * record_size - 1, "?"), Scrutiny::structure));
}

TEST_CASE("send stream: bytes left out, put in or repeated are found", "[agent][zfs]") {
  Chance chance(GENERATE(range(0U, 400U)));
  INFO("RELAB_SEED=" << chance.seed());
  const auto right = GENERATE(plain_send_stream(), send_package());
  auto bytes = right;
  const auto at = chance.below(bytes.size());
  const auto size = std::min(1 + chance.below(700), bytes.size() - at);

  if (chance.one_in(4))
    bytes.erase(at, size);
  else if (chance.one_in(3))
    bytes.insert(chance.below(bytes.size()), right.substr(at, size));
  else if (chance.one_in(2))
    bytes.replace(at, size, std::string(size, '\0'));
  else
    std::ranges::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());

  CHECK(read(bytes).has_value() == (bytes == right));
}

TEST_CASE("send stream: what is behind its end does not belong there", "[agent][zfs]") {
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);
  const auto bytes = GENERATE(plain_send_stream(), send_package());
  const auto behind =
      fmt::format("there are bytes behind the end of the stream at byte {}", bytes.size());

  CHECK(complaint(bytes + '\0', scrutiny) == behind);
  CHECK(complaint(bytes + bytes, scrutiny) == behind);
  CHECK(complaint(bytes + std::string(312, '\0'), scrutiny) == behind);
}

TEST_CASE("send stream: other bytes are none", "[agent][zfs]") {
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);
  const auto* none = "these bytes are no ZFS send stream: there is no magic number at byte 8";

  CHECK(complaint(std::string(1000, '\0'), scrutiny) == none);
  CHECK(complaint(std::string(1000, 'x'), scrutiny) == none);
  CHECK(complaint(plain_send_stream().substr(1), scrutiny) == none);
  CHECK(complaint(send_package().substr(record_size), scrutiny) == none);
  CHECK(complaint("warning: cannot send\n", scrutiny) ==
        "the stream stops at byte 21, within the record at byte 0");
}

TEST_CASE("send stream: one of a big-endian machine is refused as such", "[agent][zfs]") {
  const std::string_view magic("\0\0\0\2\xf5\xba\xcb\xac", 8);

  const auto stream = read(with(plain_send_stream(), 8, magic));

  REQUIRE_FALSE(stream);
  CHECK(stream.error().fault == Fault::unsupported);
  CHECK_THAT(stream.error().what, says("big-endian"));
}

TEST_CASE("send stream: a sender that gave up is found without checksums", "[agent][zfs]") {
  const Builder::Begin one = {.to_name = "tank@one", .to_guid = 1};
  const Builder::Begin two = {.to_name = "tank@two", .to_guid = 2};
  const auto begun = [] { return Builder().package("tank@two", 100); };
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);

  // ZFS 2.1 exits 0 after these three.
  CHECK_THAT(complaint(begun().begin(one).write(512).end_package().bytes(), scrutiny),
             says("the empty one of a package's end, before the END of 'tank@one'"));
  CHECK_THAT(complaint(begun().begin(one).write(512).begin(two).end().bytes(), scrutiny),
             says("comes before the END of 'tank@one'"));
  CHECK_THAT(complaint(begun().end_package().bytes(), scrutiny),
             says("ends the package 'tank@two' before any stream in it"));
  CHECK_THAT(complaint(begun().begin(one).end().bytes(), scrutiny),
             says("before the END of the package 'tank@two'"));
  CHECK_THAT(complaint(Builder().begin(one).write(512).end_package().bytes(), scrutiny),
             says("before the END of 'tank@one'"));
}

TEST_CASE("send stream: records where none may be are found", "[agent][zfs]") {
  const Builder::Begin one = {.to_name = "tank@one", .to_guid = 1};
  const auto begun = [] { return Builder().package("tank@one", 0); };
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);

  CHECK_THAT(complaint(begun().write(512).bytes(), scrutiny),
             says("the WRITE record at byte 624 is outside of any stream"));
  CHECK_THAT(complaint(begun().begin(one).end().end().bytes(), scrutiny),
             says("is outside of any stream and has something in it"));
  CHECK_THAT(complaint(begun().package("tank@two", 0).bytes(), scrutiny),
             says("begins a package within a package"));
  CHECK_THAT(
      complaint(begun().bytes().substr(0, record_size) + plain_send_stream().substr(record_size),
                scrutiny),
      says("the FREEOBJECTS record at byte 312 is outside of any stream"));
  CHECK_THAT(complaint(begun().bytes().substr(0, record_size) + send_package(), scrutiny),
             says("the BEGIN record at byte 312 comes before the END of 'tank@one'"));
}

TEST_CASE("send stream: a record that no ZFS writes is found", "[agent][zfs]") {
  const auto begun = [] { return Builder().begin({}); };
  const auto bytes = begun().write(512).end().bytes();
  const auto scrutiny = GENERATE(Scrutiny::structure, Scrutiny::checksums);

  CHECK_THAT(complaint(with(bytes, 312, "\x0b"), scrutiny),
             says("the record at byte 312 is of type 11, which does not exist"));
  CHECK_THAT(complaint(with(bytes, 316, "\1"), scrutiny), says("claims a payload of 512 bytes"));
  CHECK_THAT(complaint(with(bytes, 312 + 40, "?"), scrutiny),
             says("belongs to another snapshot than 'tank/vm@daily'"));
  CHECK_THAT(complaint(with(bytes, 312 + 280, std::string(32, '\0')), scrutiny),
             says("the WRITE record at byte 312 has no checksum"));
  CHECK_THAT(complaint(begun().write_by_ref().end().bytes(), scrutiny), says("deduplicated"));
}

TEST_CASE("send stream: a payload has the size that it can have", "[agent][zfs]") {
  const auto begun = [] { return Builder().begin({}); };
  const auto mib = std::uint64_t{1} << 20U;
  const auto sized = [&](std::uint64_t size) {
    auto bytes = begun().write(512).bytes();
    std::memcpy(bytes.data() + 312 + 32, &size, sizeof(size));
    return complaint(bytes, Scrutiny::structure);
  };

  CHECK_THAT(sized(16 * mib), says("the stream stops at byte 1136"));
  CHECK(sized(16 * mib + 4) ==
        "the WRITE record at byte 312 claims a payload of 16777220 bytes, which it cannot have");
  CHECK_THAT(sized(~std::uint64_t{0}), says("claims a payload of 18446744073709551615 bytes"));
  CHECK_THAT(sized(514), says("claims a payload of 514 bytes"));
  CHECK_THAT(sized(0), says("claims a payload of 0 bytes"));
  CHECK_THAT(complaint(begun().embedded(113).bytes()), says("claims a payload of 120 bytes"));
  CHECK_THAT(complaint(begun().object(16385).bytes()), says("claims a payload of 16392 bytes"));
  CHECK_THAT(complaint(with(begun().bytes(), 4, std::string_view("\0\0\0\x11", 4))),
             says("claims a payload of 285212672 bytes"));
}

TEST_CASE("send stream: a beginning has a kind, a name, and features that are known",
          "[agent][zfs]") {
  const auto changed = [](std::size_t at, std::string_view other) {
    return complaint(with(plain_send_stream(), at, other), Scrutiny::structure);
  };

  CHECK_THAT(changed(16, std::string_view("\0", 1)), says("neither of a stream nor of a package"));
  CHECK_THAT(changed(32, "\1"), says("neither a filesystem nor a volume"));
  CHECK_THAT(changed(56, "tank/vm/daily"), says("a name that no snapshot can have"));
  CHECK_THAT(changed(56, "tank\033vm@daily"), says("a name that no snapshot can have"));
  CHECK_THAT(changed(56, "tank\xffvm@daily"), says("a name that no snapshot can have"));
  CHECK_THAT(changed(56, std::string(256, '@')), says("a name that no snapshot can have"));
  CHECK_THAT(complaint(Builder().begin({.features = 1U << 30U}).end().bytes()),
             says("features that are not known: 0x40000000"));
  const auto second = send_package().find("tank@first") - 56;
  CHECK_THAT(complaint(with(send_package(), second + 8, "?")), says("a wrong magic number"));
}

TEST_CASE("send stream: a wrong checksum says what is still good", "[agent][zfs]") {
  const auto bytes = Builder().begin({}).write(512).write(512).free().end().bytes();
  // In the payload of the second.
  const auto wrong = with(bytes, 312 + 824 + 312 + 100, "?");

  const auto reading = read_all(wrong, Scrutiny::checksums);

  REQUIRE_FALSE(reading.verdict);
  CHECK(reading.verdict.error().fault == Fault::damaged);
  CHECK(reading.verdict.error().what ==
        "the checksum of the FREE record at byte 1960 does not match: something is wrong between "
        "byte 1448 and byte 2272");
  CHECK(reading.good_until == 1448);
  CHECK(read(wrong, Scrutiny::structure));
}

TEST_CASE("send stream: after an error there is only that error", "[agent][zfs]") {
  SendStreamReader reader(Scrutiny::checksums);
  const auto good = plain_send_stream();
  const std::string bad(400, 'x');

  CHECK_FALSE(reader.feed(std::as_bytes(std::span(bad))));
  const auto again = reader.feed(std::as_bytes(std::span(good)));
  const auto verdict = std::move(reader).finish();

  REQUIRE_FALSE(again);
  REQUIRE_FALSE(verdict);
  CHECK(again.error().what == verdict.error().what);
}

TEST_CASE("send stream: a name may reach into where other records have a checksum",
          "[agent][zfs]") {
  const auto name = "tank/" + std::string(240, 'n') + "@daily";

  const auto stream = must(read(Builder().begin({.to_name = name}).write(512).end().bytes()));

  CHECK(stream.substreams.at(0).to_name == name);
}

}  // namespace relab::agent::zfs
