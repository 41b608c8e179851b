#pragma once

/// Writes ZFS send streams record by record, as OpenZFS does, with checksums that are right. It
/// shares no code with what reads them.

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace relab {

class SendStreamBuilder {
 public:
  static constexpr std::uint64_t large_blocks = 1U << 19U;
  static constexpr std::uint64_t compressed = 1U << 22U;
  static constexpr std::uint64_t raw = 1U << 24U;

  /// What a BEGIN record says.
  struct Begin {
    std::string to_name = "tank/vm@daily";
    std::uint64_t to_guid = 0x77e1418401e7a39b;
    std::uint64_t from_guid = 0;
    std::uint64_t creation = 0x6b032a3d;
    std::uint64_t features = 0;
    bool is_volume = false;
    /// Of the list behind it.
    std::size_t payload = 0;
  };

  /// The bytes so far.
  const std::string& bytes() const { return bytes_; }
  /// The same, which are then gone: for streams that are too large for memory.
  std::string take() { return std::exchange(bytes_, {}); }

  /// The beginning of a package, with its END.
  SendStreamBuilder& package(const std::string& to_name, std::size_t list);
  SendStreamBuilder& begin(const Begin& begin);
  SendStreamBuilder& end();
  /// The empty END that is the last record of a package.
  SendStreamBuilder& end_package() { return add(Record(5)); }

  /// From here on payloads are those of this number.
  SendStreamBuilder& payloads(std::uint64_t number) {
    noise_ = number;
    return *this;
  }
  SendStreamBuilder& object(std::uint32_t bonus);
  /// The raw bonus is at least as large.
  SendStreamBuilder& raw_object(std::uint32_t bonus, std::uint32_t raw_bonus);
  SendStreamBuilder& free_objects() { return member(2, 24); }
  SendStreamBuilder& write(std::uint64_t size);
  SendStreamBuilder& write_compressed(std::uint64_t size, std::uint64_t compressed_size);
  SendStreamBuilder& free() { return member(4, 32); }
  SendStreamBuilder& write_by_ref() { return member(6, 32); }
  SendStreamBuilder& spill(std::uint64_t size);
  SendStreamBuilder& raw_spill(std::uint64_t size, std::uint64_t compressed_size);
  SendStreamBuilder& embedded(std::uint32_t size);
  SendStreamBuilder& object_range() { return member(9, 24); }
  SendStreamBuilder& redact() { return member(10, 32); }

 private:
  using Sums = std::array<std::uint64_t, 4>;

  struct Record {
    explicit Record(std::uint32_t type) { put(0, type); }
    template <typename T>
    Record& put(std::size_t at, T value) {
      std::memcpy(bytes.data() + at, &value, sizeof(value));
      return *this;
    }
    std::string bytes = std::string(312, '\0');
  };

  /// A record that belongs to the stream that has begun, with what is in that place of it.
  SendStreamBuilder& member(std::uint32_t type, std::size_t guid_at) {
    return seal(Record(type).put(guid_at, guid_), 0);
  }
  SendStreamBuilder& add(const Record& record) {
    append(record.bytes);
    return *this;
  }
  SendStreamBuilder& begin(Record record, const Begin& begin, std::uint64_t kind);
  SendStreamBuilder& seal(Record record, std::uint64_t payload);
  static std::uint64_t eights(std::uint64_t size) { return (size + 7) / 8 * 8; }
  void add_payload(std::uint64_t size);
  void append(std::string_view words);

  std::string bytes_;
  /// Of everything since the last END.
  Sums sums_{};
  std::uint64_t guid_ = 0;
  std::uint64_t noise_ = 1;
};

inline SendStreamBuilder& SendStreamBuilder::package(const std::string& to_name, std::size_t list) {
  begin(Record(0), {.to_name = to_name, .to_guid = 0, .creation = 0, .payload = list}, 2);
  add(Record(5).put(8, sums_));
  sums_ = {};
  return *this;
}

inline SendStreamBuilder& SendStreamBuilder::begin(const Begin& begin) {
  Record record(0);
  record.put(32, std::uint32_t{begin.is_volume ? 3U : 2U}).put(36, std::uint32_t{12});
  return this->begin(record, begin, 1);
}

inline SendStreamBuilder& SendStreamBuilder::begin(Record record, const Begin& begin,
                                                   std::uint64_t kind) {
  guid_ = begin.to_guid;
  record.put(4, static_cast<std::uint32_t>(begin.payload))
      .put(8, std::uint64_t{0x2F5bacbac})
      .put(16, begin.features << 2U | kind)
      .put(24, begin.creation)
      .put(40, begin.to_guid)
      .put(48, begin.from_guid);
  record.bytes.replace(56, begin.to_name.size(), begin.to_name);
  add(record);
  add_payload(begin.payload);
  return *this;
}

inline SendStreamBuilder& SendStreamBuilder::end() {
  seal(Record(5).put(8, sums_).put(40, guid_), 0);
  sums_ = {};
  return *this;
}

inline SendStreamBuilder& SendStreamBuilder::object(std::uint32_t bonus) {
  return seal(Record(1).put(28, bonus).put(40, guid_), eights(bonus));
}

inline SendStreamBuilder& SendStreamBuilder::raw_object(std::uint32_t bonus,
                                                        std::uint32_t raw_bonus) {
  return seal(Record(1).put(28, bonus).put(36, raw_bonus).put(40, guid_), raw_bonus);
}

inline SendStreamBuilder& SendStreamBuilder::write(std::uint64_t size) {
  return seal(Record(3).put(32, size).put(40, guid_), size);
}

inline SendStreamBuilder& SendStreamBuilder::write_compressed(std::uint64_t size,
                                                              std::uint64_t compressed_size) {
  constexpr std::uint8_t lz4 = 15;
  return seal(Record(3).put(32, size).put(40, guid_).put(50, lz4).put(96, compressed_size),
              compressed_size);
}

inline SendStreamBuilder& SendStreamBuilder::spill(std::uint64_t size) {
  return seal(Record(7).put(16, size).put(24, guid_), size);
}

inline SendStreamBuilder& SendStreamBuilder::raw_spill(std::uint64_t size,
                                                       std::uint64_t compressed_size) {
  return seal(Record(7).put(16, size).put(24, guid_).put(40, compressed_size), compressed_size);
}

inline SendStreamBuilder& SendStreamBuilder::embedded(std::uint32_t size) {
  return seal(Record(8).put(32, guid_).put(52, size), eights(size));
}

inline SendStreamBuilder& SendStreamBuilder::seal(Record record, std::uint64_t payload) {
  append(record.bytes.substr(0, 280));
  record.put(280, sums_);
  append(record.bytes.substr(280));
  add_payload(payload);
  return *this;
}

inline void SendStreamBuilder::add_payload(std::uint64_t size) {
  std::string payload;
  for (std::uint64_t i = 0; i < size; ++i) {
    noise_ = noise_ * 6364136223846793005U + 1442695040888963407U;
    payload += static_cast<char>(noise_ >> 56U);
  }
  append(payload);
}

inline void SendStreamBuilder::append(std::string_view words) {
  bytes_ += words;
  for (std::size_t at = 0; at < words.size(); at += 4) {
    std::uint64_t next = 0;
    for (std::size_t i = 4; i-- > 0;) next = next << 8U | static_cast<std::uint8_t>(words[at + i]);
    for (auto& sum : sums_) next = sum += next;
  }
}

/// Of every type of record that is not raw.
inline std::string plain_send_stream() {
  SendStreamBuilder stream;
  stream.begin({.features = SendStreamBuilder::compressed});
  stream.free_objects().object(44).write(512).write_compressed(2048, 512).embedded(51);
  stream.free().spill(512).redact();
  return stream.end().bytes();
}

/// Encrypted, with a list behind its BEGIN.
inline std::string raw_send_stream() {
  SendStreamBuilder stream;
  stream.begin({.features = SendStreamBuilder::raw, .payload = 1028});
  stream.object_range().raw_object(168, 192).raw_spill(1024, 512).write_compressed(512, 512);
  return stream.free().end().bytes();
}

/// As of `zfs send` of one snapshot of a volume, with what that number stands for on it.
inline std::string volume_stream(const std::string& to_name, std::uint64_t content) {
  SendStreamBuilder stream;
  stream.begin({.to_name = to_name, .is_volume = true}).object(0).payloads(content);
  return stream.write(8192).free().write(4096).end().bytes();
}

/// As of `zfs send -R`: a filesystem, what changed in it since, and a volume.
inline std::string send_package() {
  SendStreamBuilder stream;
  stream.package("tank@daily", 316);
  stream.begin({.to_name = "tank@first", .to_guid = 1});
  stream.object(176).write(512).free().end();
  stream.begin({.to_name = "tank@daily", .to_guid = 2, .from_guid = 1}).end();
  stream.begin({.to_name = "tank/vm@daily", .to_guid = 3, .is_volume = true});
  return stream.write(512).end().end_package().bytes();
}

}  // namespace relab
