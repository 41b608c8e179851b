#pragma once

/// Whether bytes are a whole ZFS send stream, told while they pass by.
///
/// `zfs send` can fail in the middle and exit 0, and `zstream dump` exits 0 whatever it is given,
/// so we walk the records ourselves. A stream is BEGIN, records, END. A package, which -R, -p, -I
/// and others make, is a compound BEGIN with a list of what was to be sent, its END, any number of
/// streams, and one more END that is empty. Every record holds the Fletcher-4 of all that came
/// since the last END; exempt are BEGIN, and the two ENDs of a package itself, in which nothing
/// else may stand. So one flipped bit anywhere is found, at the latest by the next record.
///
/// What this cannot tell: whether a package has all the streams that it was to have. ZFS writes the
/// last END also if it gave up between two of them, and 2.1 exits 0 then: compare `substreams` with
/// the snapshots that were to be sent.

#include <chrono>
#include <string>
#include <vector>

#include "agent/kinds/zfs/send_record.h"
#include "common/base/result.h"

namespace relab::agent::zfs {

enum class Scrutiny {
  /// Records only; payloads are skipped. Costs next to nothing and finds what was cut off, but not
  /// most of what was changed.
  structure,
  /// Also every checksum.
  checksums,
};

/// Bits of a stream's features. One that is not here is refused: what it changes is not known.
enum class Feature : std::uint64_t {
  sa_spill = 1U << 2U,
  embedded = 1U << 16U,
  lz4 = 1U << 17U,
  large_blocks = 1U << 19U,
  /// The rest of a stream whose beginning somebody else has.
  resuming = 1U << 20U,
  redacted = 1U << 21U,
  compressed = 1U << 22U,
  large_dnodes = 1U << 23U,
  /// Encrypted as it lies on the disks.
  raw = 1U << 24U,
  zstd = 1U << 25U,
  holds = 1U << 26U,
  to_large_blocks = 1U << 27U,
  long_names = 1U << 28U,
  large_microzaps = 1U << 29U,
};

/// One snapshot, or what changed up to it.
struct Substream {
  /// "tank/vm@daily"
  std::string to_name;
  std::uint64_t to_guid = 0;
  /// 0: it needs no other snapshot.
  std::uint64_t from_guid = 0;
  /// When the snapshot was taken.
  std::chrono::sys_seconds created = {};
  bool is_volume = false;
  std::uint64_t features = 0;
  /// Of its BEGIN record in the whole.
  std::uint64_t offset = 0;
  /// With its BEGIN and END; 0 as long as it has no END.
  std::uint64_t bytes = 0;

  bool operator==(const Substream&) const = default;
  bool has(Feature feature) const { return (features & static_cast<std::uint64_t>(feature)) != 0; }
};

struct RecordCount {
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;

  bool operator==(const RecordCount&) const = default;
};

struct SendStream {
  bool is_package = false;
  /// Of the package, or of its only stream.
  std::string to_name = {};
  /// In the order in which they came.
  std::vector<Substream> substreams = {};
  std::array<RecordCount, record_types> counts = {};
  std::uint64_t bytes = 0;

  bool operator==(const SendStream&) const = default;
  const RecordCount& count(RecordType type) const { return counts[static_cast<std::size_t>(type)]; }
};

/// More snapshots than any pool has; it bounds what a stream can make us keep.
inline constexpr std::size_t substreams_max = 1U << 20U;

/// Who wants more of a stream than what it is.
class StreamListener {
 public:
  StreamListener() = default;
  StreamListener(const StreamListener&) = delete;
  StreamListener& operator=(const StreamListener&) = delete;
  virtual ~StreamListener() = default;

  /// A record that is good, as far as it can be told before its payload has come.
  virtual void on_record(const SendRecord& record) = 0;
  /// The next bytes of its payload.
  virtual void on_payload(std::span<const std::byte> bytes) = 0;
};

/// Keeps one record and the list of substreams, never a payload.
class SendStreamReader {
 public:
  /// Borrows the listener; null: nobody listens.
  explicit SendStreamReader(Scrutiny scrutiny, StreamListener* listener = nullptr)
      : scrutiny_(scrutiny), listener_(listener) {}

  /// The next bytes, in pieces of any size. Fault::damaged, or ::unsupported for a stream of
  /// another endianness or unknown features, and the byte where; from then on always the same
  /// error.
  Result<void> feed(std::span<const std::byte> bytes);

  /// That there are no more bytes. The error of `feed`, if there was one; Fault::damaged if the
  /// stream is not at its end.
  Result<SendStream> finish() &&;

  /// What has come so far, whether good or not.
  const SendStream& so_far() const { return stream_; }

  /// Nothing is wrong before this byte: with checksums, as far as one of them vouches for.
  std::uint64_t good_until() const { return good_until_; }

 private:
  enum class Place { start, header, substream, between, behind };

  std::size_t take_payload(std::span<const std::byte> bytes);
  Result<std::size_t> take_record(std::span<const std::byte> bytes);
  Result<void> on_record(const SendRecord& record);
  Result<void> on_begin(const SendRecord& record);
  Result<void> open_substream(const SendRecord& record);
  Result<void> on_end(const SendRecord& record);
  Result<void> on_last_end(const SendRecord& record);
  Result<void> on_content(const SendRecord& record);
  Result<void> check_first(const SendRecord& record) const;
  Result<void> check_begin(const SendRecord& record) const;
  Result<void> check_member(const SendRecord& record);
  Result<void> sum_up(const SendRecord& record);
  void accept(const SendRecord& record);
  std::string how_it_stops() const;
  std::string here(RecordType type) const;
  /// What has begun and not ended.
  const std::string& open_name() const;
  tl::unexpected<Error> mismatch(RecordType type) const;

  Scrutiny scrutiny_;
  StreamListener* listener_;
  Place place_ = Place::start;
  std::array<std::byte, record_size> record_{};
  /// Bytes of `record_` that have come.
  std::size_t begun_ = 0;
  std::uint64_t payload_left_ = 0;
  /// Of the last record that began.
  std::uint64_t record_at_ = 0;
  std::uint64_t good_until_ = 0;
  Fletcher4 sum_;
  SendStream stream_;
  std::optional<Error> failure_;
};

}  // namespace relab::agent::zfs
