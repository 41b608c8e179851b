// False streams: under the manifest of the true one, and under one that was made and signed for
// them by somebody who is root on the machine.

#include "tests/falsify/parts.h"
#include "tests/falsify/scene.h"

namespace relab::falsify {

namespace {

constexpr std::size_t record = 312;
constexpr auto older = "datapool/documents@daily";
constexpr auto newest = "datapool/documents@pre";
constexpr auto not_whole = "bytes, and its manifest says";
constexpr auto changed = "are not what was written";

/// Within the payload of the first dataset's first block.
std::size_t in_a_payload(const FileBench& bench) {
  const auto begin = bench.stream.find("datapool@daily");
  REQUIRE(begin != std::string::npos);
  return begin + 2 * record + 2000;
}

Way<FileBench> laid(const std::string& name, const std::string& says,
                    std::function<std::string(const FileBench&)> make) {
  return {.name = name, .says = says, .lie = [make = std::move(make)](FileBench& bench) {
            bench.host.file(stream_file, make(bench));
          }};
}

Way<FileBench> passed_off(const std::string& name, const std::string& says,
                          std::function<std::string(const FileBench&)> make) {
  return {.name = name, .says = says, .lie = [make = std::move(make)](FileBench& bench) {
            bench.pass_off(make(bench));
          }};
}

std::string padded(std::string text, std::size_t size) {
  text.resize(size, '\0');
  return text;
}

}  // namespace

TEST_CASE("falsify: another stream under the true manifest", "[falsify]") {
  using B = const FileBench&;
  try_all<FileBench>({
      laid("an empty file", "the stream has 0 bytes", [](B) { return ""; }),
      laid("zeroes of the right length", changed,
           [](B bench) { return std::string(bench.stream.size(), '\0'); }),
      laid("cut within a record's header", not_whole,
           [](B bench) { return bench.stream.substr(0, bench.stream.size() - 100); }),
      laid("cut within a payload", not_whole,
           [](B bench) { return bench.stream.substr(0, in_a_payload(bench)); }),
      laid("cut, and filled up with zeroes to its length", changed,
           [](B bench) {
             return padded(bench.stream.substr(0, in_a_payload(bench)), bench.stream.size());
           }),
      laid("the closing record missing", not_whole,
           [](B bench) { return bench.stream.substr(0, bench.stream.size() - record); }),
      laid("one byte missing", not_whole,
           [](B bench) { return bench.stream.substr(0, bench.stream.size() - 1); }),
      laid("one byte more", not_whole, [](B bench) { return bench.stream + "x"; }),
      laid("a whole record of zeroes more", not_whole,
           [](B bench) { return padded(bench.stream, bench.stream.size() + record); }),
      laid("the stream twice", not_whole, [](B bench) { return bench.stream + bench.stream; }),
      laid("a bit flipped in the first record", changed,
           [](B bench) { return flipped(bench.stream, 24); }),
      laid("a bit flipped in the list of what was sent", changed,
           [](B bench) { return flipped(bench.stream, record + 200); }),
      laid("a bit flipped in a file's block", changed,
           [](B bench) { return flipped(bench.stream, in_a_payload(bench)); }),
      laid("a bit flipped in a checksum", changed,
           [](B bench) { return flipped(bench.stream, bench.stream.size() - record - 8); }),
      laid("a bit flipped in the last record", changed,
           [](B bench) { return flipped(bench.stream, bench.stream.size() - 1); }),
      laid("the streams of two datasets changed places", changed,
           [](B bench) { return Parts(bench.pool).swap(newest, "datapool/media@pre").stream(); }),
  });
}

TEST_CASE("falsify: another stream, passed off as true", "[falsify]") {
  using B = const FileBench&;
  try_all<FileBench>({
      passed_off("nothing at all", "the manifest is of an empty stream", [](B) { return ""; }),
      passed_off("what is no stream", "no ZFS send stream",
                 [](B bench) { return std::string(bench.stream.size(), 'x'); }),
      passed_off("cut before the closing record", "before the END of the package",
                 [](B bench) { return bench.stream.substr(0, bench.stream.size() - record); }),
      passed_off("cut within the last dataset", "the stream stops at byte",
                 [](B bench) { return bench.stream.substr(0, bench.stream.size() - 3 * record); }),
      passed_off("cut within a record's header", "within the record at byte",
                 [](B bench) { return bench.stream.substr(0, bench.stream.size() - 100); }),
      passed_off("cut within a payload", "before the end of the payload of the WRITE record",
                 [](B bench) { return bench.stream.substr(0, in_a_payload(bench)); }),
      passed_off("a bit flipped in a file's block", "does not match",
                 [](B bench) { return flipped(bench.stream, in_a_payload(bench)); }),
      passed_off("a bit flipped in a checksum", "does not match",
                 [](B bench) { return flipped(bench.stream, bench.stream.size() - record - 8); }),
      passed_off("bytes behind the end", "there are bytes behind the end of the stream",
                 [](B bench) { return bench.stream + "more"; }),
      passed_off("the stream twice", "behind the end of the stream",
                 [](B bench) { return bench.stream + bench.stream; }),
      passed_off("a dataset missing", "2 of 6 snapshots are not in it",
                 [](B bench) { return Parts(bench.pool).without(older).without(newest).stream(); }),
      passed_off("the newest snapshot of a dataset missing", "1 of 6 snapshots are not in it",
                 [](B bench) { return Parts(bench.pool).without(newest).stream(); }),
      passed_off("an older snapshot of a dataset missing", "builds on a snapshot",
                 [](B bench) { return Parts(bench.pool).without(older).stream(); }),
      passed_off("two snapshots of a dataset in the wrong order", "builds on a snapshot",
                 [](B bench) { return Parts(bench.pool).swap(older, newest).stream(); }),
      passed_off("one dataset alone", "it is no stream of a dataset with all below it",
                 [](B bench) { return Parts(bench.pool).first_alone(); }),
      passed_off("only what came since an older snapshot", "builds on a snapshot",
                 [](B bench) { return Parts(bench.pool).only_last_of_each().stream(); }),
      passed_off("a dataset that was decrypted", "and the stream has it decrypted",
                 [](B bench) {
                   auto parts = Parts(bench.pool);
                   parts.at(newest).features = 0;
                   return parts.stream();
                 }),
      passed_off("all of it decrypted", "and the stream has it decrypted",
                 [](B bench) { return bench.pool.stream(0); }),
      passed_off("the rest of a stream that was broken off", "only a part of",
                 [](B bench) {
                   auto parts = Parts(bench.pool);
                   parts.at(older).features |= 1U << 20U;
                   return parts.stream();
                 }),
      passed_off("a part of another pool more", "rpool/data@pre",
                 [](B bench) {
                   return Parts(bench.pool).add({.name = "rpool/data@pre", .guid = 5}).stream();
                 }),
      passed_off("older snapshots of the same names", "which was not to be sent",
                 [](B bench) {
                   auto parts = Parts(bench.pool);
                   parts.at(newest).guid += 1000;
                   return parts.stream();
                 }),
      passed_off("an earlier snapshot under the newest one's name", "which was not to be sent",
                 [](B bench) {
                   auto parts = Parts(bench.pool);
                   parts.at(newest) = {.name = newest, .guid = parts.at(older).guid};
                   return parts.stream();
                 }),
      passed_off("one snapshot twice", "which was not to be sent",
                 [](B bench) {
                   auto parts = Parts(bench.pool);
                   return parts.add(parts.at(older)).stream();
                 }),
      passed_off("other content, with all checksums made to fit",
                 "its manifest is not the one that was written with it",
                 [](B bench) {
                   auto parts = Parts(bench.pool);
                   parts.at(newest).payload = 8192;
                   return parts.stream();
                 }),
  });
}

}  // namespace relab::falsify
