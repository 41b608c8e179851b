#include "agent/kinds/zfs/pool_send.h"

#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

constexpr auto send_time_max = std::chrono::hours(24 * 30);
constexpr auto estimate_time_max = std::chrono::hours(1);
constexpr auto again_hint = "find the cause, and run it again: it goes on from there";

/// What flows from one pool into the other: counted, and judged.
class Watching final : public Sink {
 public:
  /// So many bytes of so many went before.
  Watching(Host& host, std::uint64_t before, std::uint64_t total, std::string what)
      : host_(host), bytes_(before), total_(total), what_(std::move(what)) {}

  Result<void> take(ByteView piece) override {
    RELAB_CHECK(reader_.feed(std::as_bytes(piece)));
    bytes_ += piece.size();
    host_.progress({.done = bytes_, .total = total_, .unit = "bytes", .what = what_});
    return {};
  }

  Result<SendStream> finish() { return std::move(reader_).finish(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Host& host_;
  std::uint64_t bytes_;
  std::uint64_t total_;
  std::string what_;
  SendStreamReader reader_ = SendStreamReader(Scrutiny::structure);
};

Result<std::uint64_t> estimate_one(Host& host, std::vector<std::string> more) {
  Command command{.argv = {"zfs", "send", "-nvP"}, .timeout = estimate_time_max};
  command.argv.insert(command.argv.end(), more.begin(), more.end());
  RELAB_TRY(const auto text, output_of(host, command));
  return parse_estimate(text).during("estimating the size");
}

std::vector<std::string> send_argv(const Lineage& lineage) {
  if (!lineage.token.empty()) return {"zfs", "send", "-t", lineage.token};
  std::vector<std::string> argv = {"zfs", "send", "-w", "-p"};
  if (lineage.there != 0) {
    argv.emplace_back("-i");
    argv.push_back("@" + lineage.wanted[lineage.there - 1].snapshot());
  }
  argv.push_back(lineage.wanted[lineage.there].name);
  return argv;
}

std::vector<std::string> receive_argv(const std::string& target, bool is_volume) {
  std::vector<std::string> argv = {"zfs", "receive", "-s", "-u", "-o", "readonly=on"};
  const std::vector<std::string> more =
      is_volume ? std::vector<std::string>{"-o", "volmode=none"}
                : std::vector<std::string>{"-o", "canmount=noauto", "-x", "mountpoint"};
  argv.insert(argv.end(), more.begin(), more.end());
  argv.push_back(target);
  return argv;
}

/// Neither's exit status alone says anything: 2.1 sends half and exits 0.
Result<void> check_both(const Piped& piped) {
  std::vector<std::string> words;
  for (const auto& [name, output] :
       {std::pair("zfs receive", &piped.to), std::pair("zfs send", &piped.from)})
    if (output->status != 0 || output->truncated || !trim(output->err).empty())
      words.push_back(
          fmt::format("{} ended with {}: {}", name, output->status, first_words(*output)));
  if (words.empty()) return {};
  return fail(Fault::damaged, fmt::format("{}", fmt::join(words, "; ")), again_hint);
}

Result<bool> is_volume(Host& host, const std::string& dataset) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"zfs", "get", "-Hp", "-o", "value", "type", dataset}}));
  const auto type = trim(text);
  if (type == "filesystem" || type == "volume") return type == "volume";
  return fail(Fault::damaged, fmt::format("zfs get says that {} is a '{}'", dataset, type));
}

Result<void> send_next(Host& host, const std::vector<std::string>& receive, const Lineage& lineage,
                       Watching& watching) {
  const auto& next = lineage.wanted[lineage.there];
  RELAB_TRY(const auto piped, host.pipe({.argv = send_argv(lineage), .timeout = send_time_max},
                                        {.argv = receive, .timeout = send_time_max}, watching));
  RELAB_CHECK(check_both(piped));
  RELAB_TRY(const auto stream, watching.finish().during("looking whether the stream is whole"));
  return check_sent(stream,
                    {.snapshot = next,
                     .from_guid = lineage.there == 0 ? 0 : lineage.wanted[lineage.there - 1].guid,
                     .resumed = !lineage.token.empty()});
}

}  // namespace

Result<std::uint64_t> estimate_rest(Host& host, const Lineage& lineage) {
  std::uint64_t bytes = 0;
  auto at = lineage.there;
  if (lineage.complete()) return bytes;
  if (!lineage.token.empty()) {
    RELAB_TRY(const auto rest, estimate_one(host, {"-t", lineage.token}));
    bytes += rest;
    ++at;
  } else if (at == 0) {
    RELAB_TRY(const auto first, estimate_one(host, {"-w", lineage.wanted[0].name}));
    bytes += first;
    ++at;
  }
  if (at == lineage.wanted.size()) return bytes;
  RELAB_TRY(const auto later,
            estimate_one(host, {"-w", "-I", "@" + lineage.wanted[at - 1].snapshot(),
                                lineage.wanted.back().name}));
  return bytes + later;
}

Result<void> send_rest(Host& host, const PoolCopyWish& wish, const Lineage& lineage) {
  if (lineage.complete()) return {};
  const auto dataset = lineage.wanted[0].dataset();
  RELAB_TRY(const auto total, estimate_rest(host, lineage));
  RELAB_TRY(const bool volume, is_volume(host, dataset));
  const auto receive = receive_argv(wish.copy_of(dataset), volume);
  auto left = lineage;
  std::uint64_t bytes = 0;
  while (!left.complete()) {
    const auto& next = left.wanted[left.there];
    Watching watching(host, bytes, total, "sending " + next.name);
    RELAB_CHECK(send_next(host, receive, left, watching).during("sending " + next.name));
    bytes = watching.bytes();
    left.token.clear();
    ++left.there;
  }
  return {};
}

Result<void> check_sent(const SendStream& stream, const SentSnapshot& sent) {
  const auto& name = sent.snapshot.name;
  if (stream.substreams.size() != 1)
    return fail(Fault::damaged, fmt::format("the stream of {} has {} snapshots in it", name,
                                            stream.substreams.size()));
  const auto& part = stream.substreams[0];
  if (part.to_guid != sent.snapshot.guid || part.from_guid != sent.from_guid)
    return fail(Fault::damaged, fmt::format("the stream has {} (guid {}), which was not to be sent",
                                            part.to_name, part.to_guid));
  if (sent.snapshot.encrypted && !part.has(Feature::raw))
    return fail(Fault::damaged,
                fmt::format("{} is encrypted, and the stream has it decrypted", name));
  if (part.has(Feature::redacted) || part.has(Feature::resuming) != sent.resumed)
    return fail(Fault::damaged, fmt::format("the stream has only a part of {}", name));
  return {};
}

}  // namespace relab::agent::zfs
