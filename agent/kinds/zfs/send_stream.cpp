#include "agent/kinds/zfs/send_stream.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::agent::zfs {

namespace {

constexpr std::uint64_t known_features = [] {
  using enum Feature;
  std::uint64_t all = 0;
  for (const auto feature :
       {sa_spill, embedded, lz4, large_blocks, resuming, redacted, compressed, large_dnodes, raw,
        zstd, holds, to_large_blocks, long_names, large_microzaps})
    all |= static_cast<std::uint64_t>(feature);
  return all;
}();

constexpr std::uint64_t swapped_magic = 0xACCBBAF502000000;
constexpr std::uint32_t filesystem = 2;
constexpr std::uint32_t volume = 3;

constexpr std::string_view hint_unfinished =
    "zfs send gave up or was cut off: look at its messages and at the space where it was written";
constexpr std::string_view hint_damaged = "do not rely on this copy; send it anew";

tl::unexpected<Error> damaged(std::string what, std::string_view hint = hint_damaged) {
  return fail(Fault::damaged, std::move(what), std::string(hint));
}

}  // namespace

Result<void> SendStreamReader::feed(std::span<const std::byte> bytes) {
  while (!bytes.empty() && !failure_) {
    if (payload_left_ > 0) {
      bytes = bytes.subspan(take_payload(bytes));
      continue;
    }
    auto taken = take_record(bytes);
    if (taken)
      bytes = bytes.subspan(*taken);
    else
      failure_ = std::move(taken).error();
  }
  if (failure_) return fail(*failure_);
  return {};
}

std::size_t SendStreamReader::take_payload(std::span<const std::byte> bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), payload_left_));
  if (scrutiny_ == Scrutiny::checksums) sum_.add(bytes.first(size));
  if (listener_ != nullptr) listener_->on_payload(bytes.first(size));
  payload_left_ -= size;
  stream_.bytes += size;
  return size;
}

Result<std::size_t> SendStreamReader::take_record(std::span<const std::byte> bytes) {
  if (place_ == Place::behind)
    return damaged(
        fmt::format("there are bytes behind the end of the stream at byte {}", stream_.bytes));
  if (begun_ == 0) record_at_ = stream_.bytes;
  const auto size = std::min(bytes.size(), record_.size() - begun_);
  std::ranges::copy(bytes.first(size), record_.begin() + static_cast<std::ptrdiff_t>(begun_));
  begun_ += size;
  stream_.bytes += size;
  if (begun_ == record_.size()) {
    begun_ = 0;
    RELAB_CHECK(on_record(SendRecord(record_)));
  }
  return size;
}

Result<void> SendStreamReader::on_record(const SendRecord& record) {
  if (place_ == Place::start) RELAB_CHECK(check_first(record));
  const auto type = record.type();
  if (!type)
    return damaged(fmt::format("the record at byte {} is of type {}, which does not exist",
                               record_at_, record.type_number()));
  if (!record.has_possible_size())
    return damaged(fmt::format("{} claims a payload of {} bytes, which it cannot have", here(*type),
                               record.payload_size()));
  switch (*type) {
    case RecordType::begin:
      RELAB_CHECK(on_begin(record));
      break;
    case RecordType::end:
      RELAB_CHECK(on_end(record));
      break;
    case RecordType::write_by_ref:
      return fail(
          Fault::unsupported,
          fmt::format("{} refers to data elsewhere in the stream: it is deduplicated", here(*type)),
          "no ZFS since 2.0 takes such a stream; send it anew without -D");
    case RecordType::object:
    case RecordType::free_objects:
    case RecordType::write:
    case RecordType::free:
    case RecordType::spill:
    case RecordType::write_embedded:
    case RecordType::object_range:
    case RecordType::redact:
      RELAB_CHECK(on_content(record));
      break;
  }
  accept(record);
  return {};
}

/// Before anything else is made of bytes that may be anything.
Result<void> SendStreamReader::check_first(const SendRecord& record) const {
  if (record.magic() == SendRecord::right_magic && record.type() == RecordType::begin) return {};
  if (record.magic() == swapped_magic)
    return fail(Fault::unsupported,
                "the stream is of a big-endian machine: its magic number at byte 8 is reversed");
  return damaged("these bytes are no ZFS send stream: there is no magic number at byte 8");
}

Result<void> SendStreamReader::on_begin(const SendRecord& record) {
  if (place_ == Place::header || place_ == Place::substream)
    return damaged(
        fmt::format("{} comes before the END of '{}'", here(RecordType::begin), open_name()),
        hint_unfinished);
  RELAB_CHECK(check_begin(record));
  if (record.kind() == StreamKind::compound) {
    stream_.is_package = true;
    place_ = Place::header;
  } else {
    RELAB_CHECK(open_substream(record));
    place_ = Place::substream;
  }
  if (record_at_ == 0) stream_.to_name = *record.to_name();
  return sum_up(record);
}

Result<void> SendStreamReader::check_begin(const SendRecord& record) const {
  const auto at = here(RecordType::begin);
  if (record.magic() != SendRecord::right_magic)
    return damaged(fmt::format("{} has a wrong magic number", at));
  if (record.kind() != StreamKind::substream && record.kind() != StreamKind::compound)
    return damaged(fmt::format("{} is neither of a stream nor of a package", at));
  if (record.kind() == StreamKind::compound && place_ != Place::start)
    return damaged(fmt::format("{} begins a package within a package", at));
  if (!record.to_name()) return damaged(fmt::format("{} has a name that no snapshot can have", at));
  if (const auto unknown = record.features() & ~known_features; unknown != 0)
    return fail(Fault::unsupported,
                fmt::format("{} asks for features that are not known: {:#x}", at, unknown));
  return {};
}

Result<void> SendStreamReader::open_substream(const SendRecord& record) {
  const auto type = record.dataset_type();
  if (type != filesystem && type != volume)
    return damaged(fmt::format("{} is of a dataset of type {}, neither a filesystem nor a volume",
                               here(RecordType::begin), type));
  if (stream_.substreams.size() == substreams_max)
    return fail(Fault::unsupported, fmt::format("{} is one more than {} streams",
                                                here(RecordType::begin), substreams_max));
  const std::chrono::seconds created(static_cast<std::int64_t>(record.creation()));
  stream_.substreams.push_back({.to_name = std::string(*record.to_name()),
                                .to_guid = record.to_guid(),
                                .from_guid = record.from_guid(),
                                .created = std::chrono::sys_seconds(created),
                                .is_volume = type == volume,
                                .features = record.features(),
                                .offset = record_at_});
  return {};
}

Result<void> SendStreamReader::on_end(const SendRecord& record) {
  if (place_ == Place::between) return on_last_end(record);
  if (record.is_empty_end())
    return damaged(fmt::format("{} is the empty one of a package's end, before the END of '{}'",
                               here(RecordType::end), open_name()),
                   hint_unfinished);

  const auto sum = sum_.sum();
  if (place_ == Place::substream)
    RELAB_CHECK(check_member(record));
  else if (!record.is_bare_end())
    return damaged(fmt::format("{} of a package has something else in it", here(RecordType::end)));
  if (scrutiny_ == Scrutiny::checksums && record.end_checksum() != sum)
    return mismatch(RecordType::end);

  if (place_ == Place::substream) {
    auto& substream = stream_.substreams.back();
    substream.bytes = stream_.bytes - substream.offset;
  }
  sum_ = {};
  place_ = stream_.is_package ? Place::between : Place::behind;
  return {};
}

Result<void> SendStreamReader::on_last_end(const SendRecord& record) {
  if (!record.is_empty_end())
    return damaged(
        fmt::format("{} is outside of any stream and has something in it", here(RecordType::end)));
  if (stream_.substreams.empty())
    return damaged(fmt::format("{} ends the package '{}' before any stream in it",
                               here(RecordType::end), stream_.to_name),
                   hint_unfinished);
  place_ = Place::behind;
  return {};
}

Result<void> SendStreamReader::on_content(const SendRecord& record) {
  if (place_ != Place::substream)
    return damaged(fmt::format("{} is outside of any stream", here(*record.type())));
  return check_member(record);
}

Result<void> SendStreamReader::check_member(const SendRecord& record) {
  if (record.to_guid() != stream_.substreams.back().to_guid)
    return damaged(
        fmt::format("{} belongs to another snapshot than '{}'", here(*record.type()), open_name()));
  if (record.checksum() == Checksum{})
    return damaged(fmt::format("{} has no checksum", here(*record.type())));
  return sum_up(record);
}

Result<void> SendStreamReader::sum_up(const SendRecord& record) {
  if (scrutiny_ == Scrutiny::structure) return {};
  sum_.add(record.before_checksum());
  if (record.type() != RecordType::begin && record.checksum() != sum_.sum())
    return mismatch(*record.type());
  sum_.add(record.behind());
  return {};
}

void SendStreamReader::accept(const SendRecord& record) {
  if (listener_ != nullptr) listener_->on_record(record);
  auto& count = stream_.counts[record.type_number()];
  ++count.records;
  payload_left_ = record.payload_size();
  count.payload_bytes += payload_left_;
  // What is in a BEGIN record is only vouched for by the next one's checksum.
  if (scrutiny_ == Scrutiny::structure || record.type() != RecordType::begin)
    good_until_ = record_at_ + record_size;
}

Result<SendStream> SendStreamReader::finish() && {
  if (failure_) return fail(*failure_);
  if (place_ != Place::behind) return damaged(how_it_stops(), hint_unfinished);
  return std::move(stream_);
}

std::string SendStreamReader::how_it_stops() const {
  const auto at = stream_.bytes;
  if (at == 0) return "the stream is empty";
  if (begun_ > 0)
    return fmt::format("the stream stops at byte {}, within the record at byte {}", at, record_at_);
  if (payload_left_ > 0)
    return fmt::format("the stream stops at byte {}, {} bytes before the end of the payload of {}",
                       at, payload_left_, here(*SendRecord(record_).type()));
  if (place_ == Place::between)
    return fmt::format("the stream stops at byte {}, before the END of the package '{}'", at,
                       stream_.to_name);
  return fmt::format("the stream stops at byte {}, before the END of '{}'", at, open_name());
}

std::string SendStreamReader::here(RecordType type) const {
  return fmt::format("the {} record at byte {}", name(type), record_at_);
}

const std::string& SendStreamReader::open_name() const {
  return place_ == Place::substream ? stream_.substreams.back().to_name : stream_.to_name;
}

tl::unexpected<Error> SendStreamReader::mismatch(RecordType type) const {
  return damaged(fmt::format(
      "the checksum of {} does not match: something is wrong between byte {} and byte {}",
      here(type), good_until_, record_at_ + record_size));
}

}  // namespace relab::agent::zfs
