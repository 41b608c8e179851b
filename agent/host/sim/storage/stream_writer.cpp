#include "agent/host/sim/storage/stream_writer.h"

#include <algorithm>
#include <utility>

namespace relab::agent::sim {

namespace {

enum Type : std::uint32_t { begin_type = 0, object_type = 1, write_type = 3, end_type = 5 };

constexpr std::size_t record_size = 312;
constexpr std::size_t checksum_at = 280;
constexpr std::size_t name_at = 56;
constexpr std::uint64_t magic = 0x2F5bacbac;
constexpr std::uint64_t block_size = std::uint64_t{128} << 10U;
constexpr std::uint8_t lz4 = 15;

/// What a BEGIN record says of what follows.
constexpr std::uint64_t substream = 1;
constexpr std::uint64_t compound = 2;

}  // namespace

class StreamWriter::Record {
 public:
  explicit Record(std::uint32_t type) { put(0, type); }
  template <typename T>
  Record& put(std::size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof(value));
    return *this;
  }
  Record& name(const std::string& text) {
    bytes_.replace(name_at, text.size(), text);
    return *this;
  }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_ = std::string(record_size, '\0');
};

void StreamWriter::package(const std::string& to_name) {
  begin_record(Record(begin_type), {.to_name = to_name}, compound);
  const auto sums = std::exchange(sums_, {});
  append(Record(end_type).put(8, sums).bytes());
  sums_ = {};
}

void StreamWriter::end_package() { append(Record(end_type).bytes()); }

void StreamWriter::begin(const Begin& begin) {
  Record record(begin_type);
  record.put(32, std::uint32_t{begin.is_volume ? 3U : 2U});
  begin_record(record, begin, substream);
}

void StreamWriter::begin_record(Record record, const Begin& begin, std::uint64_t kind) {
  begun_ = begin;
  record.put(8, magic)
      .put(16, begin.features << 2U | kind)
      .put(24, begin.creation)
      .put(40, begin.to_guid)
      .put(48, begin.from_guid)
      .name(begin.to_name);
  append(record.bytes());
}

void StreamWriter::object() {
  seal(Record(object_type).put(8, std::uint64_t{1}).put(40, begun_.to_guid));
}

void StreamWriter::blocks(std::uint64_t bytes, std::uint64_t number) {
  constexpr std::uint64_t word = 8;
  std::string block;
  for (std::uint64_t offset = 0; offset < bytes; offset += block_size) {
    const auto size = (std::min(block_size, bytes - offset) + word - 1) / word * word;
    Record record(write_type);
    record.put(8, std::uint64_t{1}).put(24, offset).put(32, size).put(40, begun_.to_guid);
    // Encrypted blocks come as they lie on the disks.
    if ((begun_.features & raw) != 0) record.put(50, lz4).put(96, size);
    seal(record);
    block.resize(size);
    for (std::uint64_t at = 0; at < size; at += word) {
      // Any generator will do: https://nuclear.llnl.gov/CNP/rng/rngman/node4.html
      number = number * 6364136223846793005U + 1442695040888963407U;
      std::memcpy(block.data() + at, &number, word);
    }
    append(block);
  }
}

void StreamWriter::end() {
  const auto sums = sums_;
  seal(Record(end_type).put(8, sums).put(40, begun_.to_guid));
  sums_ = {};
}

void StreamWriter::seal(Record record) {
  append(record.bytes().substr(0, checksum_at));
  const auto sums = sums_;
  append(record.put(checksum_at, sums).bytes().substr(checksum_at));
}

/// Fletcher-4, over words of four bytes.
void StreamWriter::append(std::string_view words) {
  bytes_ += words;
  auto [a, b, c, d] = sums_;
  for (std::size_t at = 0; at + 4 <= words.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, words.data() + at, sizeof(word));
    a += word;
    b += a;
    c += b;
    d += c;
  }
  sums_ = {a, b, c, d};
}

}  // namespace relab::agent::sim
