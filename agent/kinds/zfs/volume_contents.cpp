#include "agent/kinds/zfs/volume_contents.h"

#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/send_stream.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

constexpr auto reading_time_max = std::chrono::hours(24 * 30);

class Blocks final : public StreamListener {
 public:
  void on_record(const SendRecord& record) override {
    const auto type = *record.type();
    wanted_ = type == RecordType::write;
    strange_ = strange_ || !is_usual(type);
    if (!wanted_) return;
    const auto place =
        fmt::format("{} {} {};", record.object(), record.offset(), record.payload_size());
    digest_.add(bytes_of(place));
  }
  void on_payload(std::span<const std::byte> bytes) override {
    if (!wanted_) return;
    digest_.add({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    bytes_ += bytes.size();
  }
  /// There was content that is in no digest.
  bool strange() const { return strange_; }
  VolumeContents finish() && { return {.digest = digest_.finish(), .bytes = bytes_}; }

 private:
  /// What `zfs send` makes of a volume where nothing is asked for.
  static bool is_usual(RecordType type) {
    switch (type) {
      case RecordType::begin:
      case RecordType::object:
      case RecordType::free_objects:
      case RecordType::write:
      case RecordType::free:
      case RecordType::end:
        return true;
      case RecordType::write_by_ref:
      case RecordType::spill:
      case RecordType::write_embedded:
      case RecordType::object_range:
      case RecordType::redact:
        break;
    }
    return false;
  }

  bool wanted_ = false;
  bool strange_ = false;
  std::uint64_t bytes_ = 0;
  crypto::Blake2b digest_;
};

class Reading final : public Sink {
 public:
  explicit Reading(Host& host) : host_(host), reader_(Scrutiny::structure, &blocks_) {}

  Result<void> take(ByteView piece) override {
    RELAB_CHECK(reader_.feed(std::as_bytes(piece)));
    host_.progress({.done = reader_.so_far().bytes, .unit = "bytes", .what = "reading a volume"});
    return {};
  }

  Result<VolumeContents> finish() && {
    RELAB_TRY(const auto stream, std::move(reader_).finish());
    if (stream.substreams.size() != 1 || !stream.substreams[0].is_volume ||
        stream.substreams[0].has(Feature::raw) || stream.substreams[0].has(Feature::compressed) ||
        blocks_.strange())
      return fail(Fault::damaged, "what zfs send gave is not the content of a volume");
    return std::move(blocks_).finish();
  }

 private:
  Host& host_;
  Blocks blocks_;
  SendStreamReader reader_;
};

}  // namespace

Result<VolumeContents> read_volume(Host& host, const std::string& snapshot) {
  // Neither raw nor compressed: two copies of one content may lie differently on their disks.
  Reading reading(host);
  RELAB_TRY(const auto output,
            host.stream({.argv = {"zfs", "send", snapshot}, .timeout = reading_time_max}, reading));
  if (output.status != 0 || output.truncated || !trim(output.err).empty())
    return fail(Fault::damaged, fmt::format("zfs send of {} ended with {}: {}", snapshot,
                                            output.status, first_words(output)));
  return std::move(reading).finish();
}

}  // namespace relab::agent::zfs
