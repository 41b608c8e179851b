/// What `zfs send` prints: streams, and how large they would be.

#include <fmt/format.h>

#include "agent/host/sim/storage/sending.h"
#include "agent/host/sim/storage/stream_writer.h"
#include "common/base/number.h"

namespace relab::agent::sim {

namespace {

/// Of the content of a stream; what is more is only said of it.
constexpr std::uint64_t content_max = std::uint64_t{1} << 20U;
/// What there is at least of a snapshot.
constexpr std::uint64_t content_min = 512;

Output failed(std::string words) { return {.status = 1, .err = std::move(words) + "\n"}; }

}  // namespace

void Pools::add_parts(const Dataset& dataset, const CommandLine& line, Sending& sending) const {
  const auto wanted = snapshot_of(sending.name);
  const auto after = line.value('I').value_or(line.value('i').value_or(""));
  const bool every = line.has('R') || line.value('I');
  const Snapshot* before = nullptr;
  std::uint64_t bytes = 0;
  for (const auto& snapshot : dataset.snapshots) {
    bytes += snapshot.bytes;
    const bool last = snapshot.name == wanted;
    const bool base = "@" + snapshot.name == after || dataset.name + "@" + snapshot.name == after;
    if (!base && (last || (every && (after.empty() || before != nullptr)))) {
      sending.parts.push_back(
          {.dataset = &dataset, .to = &snapshot, .from = before, .bytes = bytes});
      before = &snapshot;
      bytes = 0;
    }
    if (base) {
      before = &snapshot;
      bytes = 0;
    }
    if (last) return;
  }
}

tl::expected<Pools::Sending, Output> Pools::what_to_send(const CommandLine& line) const {
  if (const auto token = line.value('t')) return what_to_resume(*token);
  Sending sending{.name = line.words[0], .raw = line.has('w')};
  sending.package = line.has('R') || line.has('p') || line.value('I');
  if (!exists(sending.name) || snapshot_of(sending.name).empty())
    return tl::unexpected(
        failed(fmt::format("cannot open '{}': dataset does not exist", sending.name)));
  const auto top = dataset_of(sending.name);
  for (const auto& [name, dataset] : pool(pool_of(top))->datasets) {
    if (name != top && !(line.has('R') && is_within(name, top))) continue;
    if (dataset.encrypted() && !sending.raw && sending.package)
      return tl::unexpected(
          failed(fmt::format("cannot send {0}: encrypted dataset {1} may not be "
                             "sent with properties without the raw flag\n"
                             "warning: cannot send '{0}': backup failed",
                             sending.name, name)));
    if (dataset.encrypted() && !sending.raw && !key_is_loaded(dataset))
      return tl::unexpected(failed(
          fmt::format("warning: cannot send '{}': dataset key must be loaded", sending.name)));
    add_parts(dataset, line, sending);
  }
  const auto base = line.value('i') ? line.value('i') : line.value('I');
  if (base && !exists(top + base->substr(base->find('@'))))
    return tl::unexpected(failed(fmt::format("incremental source ({}) does not exist", *base)));
  return sending;
}

/// "1-GUID", of the snapshot whose receive was interrupted.
tl::expected<Pools::Sending, Output> Pools::what_to_resume(const std::string& token) const {
  const auto dash = token.find('-');
  const auto guid = parse_number<std::uint64_t>(
      std::string_view(token).substr(std::min(dash + 1, token.size())), 16);
  for (const auto& pool : pools_) {
    if (!pool.imported || !guid) continue;
    for (const auto& [name, dataset] : pool.datasets) {
      const Snapshot* before = nullptr;
      for (const auto& snapshot : dataset.snapshots) {
        if (snapshot.guid == *guid)
          return Sending{
              .name = fmt::format("{}@{}", name, snapshot.name),
              .raw = dataset.encrypted(),
              .resumes = true,
              .parts = {
                  {.dataset = &dataset, .to = &snapshot, .from = before, .bytes = snapshot.bytes}}};
        before = &snapshot;
      }
    }
  }
  return tl::unexpected(Output{.status = 255,
                               .err = "cannot resume send: the snapshot used in the initial send "
                                      "no longer exists\n"});
}

Output Pools::estimate(const Sending& sending, const CommandLine& line) {
  Output output;
  // Of one stream by itself, the whole name as it was asked for.
  const bool whole_names = line.value('i') && !line.has('R');
  for (const auto& part : sending.parts) {
    const auto to = fmt::format("{}@{}", part.dataset->name, part.to->name);
    if (sending.resumes) output.out += fmt::format("\ttoguid = {:#x}\n", part.to->guid);
    output.out += part.from == nullptr ? fmt::format("full\t{}\t{}\n", to, part.bytes)
                                       : fmt::format("incremental\t{}{}\t{}\t{}\n",
                                                     whole_names ? part.dataset->name + "@" : "",
                                                     part.from->name, to, part.bytes);
    // What is passed over is said where somebody asked for words.
    const auto& all = part.dataset->snapshots;
    const bool last = line.has('R') && part.to->name == snapshot_of(sending.name);
    for (const auto* later = part.to + 1; last && later != all.data() + all.size(); ++later)
      output.err += fmt::format(
          "skipping snapshot {}@{} because it was created after the destination snapshot ({})\n",
          part.dataset->name, later->name, part.to->name);
  }
  output.out += fmt::format("size\t{}\n", sending.bytes());
  return output;
}

std::string Pools::stream_of(const Sending& sending) {
  const auto whole = std::max<std::uint64_t>(sending.bytes(), 1);
  const auto share = static_cast<double>(std::min(content_max, whole)) / static_cast<double>(whole);
  StreamWriter writer;
  if (sending.package) writer.package(sending.name);
  for (const auto& part : sending.parts) {
    std::uint64_t features =
        part.dataset->encrypted() && sending.raw ? StreamWriter::raw | StreamWriter::compressed : 0;
    if (sending.resumes) features |= StreamWriter::resuming;
    writer.begin({.to_name = fmt::format("{}@{}", part.dataset->name, part.to->name),
                  .to_guid = part.to->guid,
                  .from_guid = part.from == nullptr ? 0 : part.from->guid,
                  .creation = part.to->created,
                  .features = features,
                  .is_volume = part.dataset->is_volume});
    writer.object();
    const auto bytes = static_cast<std::uint64_t>(static_cast<double>(part.bytes) * share);
    // One content has one number, in whichever pool it lies.
    writer.blocks(std::max(bytes, content_min), part.to->guid);
    writer.end();
  }
  if (sending.package) writer.end_package();
  return std::move(writer).finish();
}

Output Pools::send(const Sending& sending) {
  const auto& pool = *find_pool(pool_of(sending.name));
  const auto failure = [json = has_json(), name = sending.name](std::string out) {
    // 2.1 says it, and ends as if all were well.
    const auto words = fmt::format("warning: cannot send '{}': Input/output error\n", name);
    return Output{.status = json ? 1 : 0, .out = std::move(out), .err = words};
  };
  if (pool.is_lost()) return failure({});
  const auto bytes = sending.bytes();
  const auto rate = speed_of(pool).read;
  const auto began = host_.now();
  auto stream = stream_of(sending);
  const auto grain = std::max<std::uint64_t>(bytes / stream.size(), 1);
  host_.spend(bytes, rate);
  host_.stand_for(grain);
  const auto took = (host_.now() - began).count();
  const auto breaks = disks_.next_failure();
  host_.may_break_off([this, failure, name = pool.name]() -> std::optional<Output> {
    if (!find_pool(name)->is_lost()) return {};
    return failure({});
  });
  if (!breaks || *breaks > host_.now()) return {.out = std::move(stream)};
  const auto until = std::max((*breaks - began).count(), decltype(took){0});
  disks_.pass(host_.now());
  notice_disks();
  if (!pool.is_lost()) return {.out = std::move(stream)};
  const auto part =
      static_cast<double>(until) / static_cast<double>(std::max(took, decltype(took){1}));
  stream.resize(static_cast<std::size_t>(static_cast<double>(stream.size()) * part));
  return failure(std::move(stream));
}

Result<Output> Pools::zfs_send(const Command& command) {
  const auto line = command_line_of(command.argv, "nvPRwp", "iIt");
  const bool named = line && line->words.size() == (line->value('t') ? 0U : 1U);
  if (!named) return host_.does_not_know(command);
  const auto sending = what_to_send(*line);
  if (!sending) return sending.error();
  if (!line->has('n')) return send(*sending);
  if (!line->has('P') || !line->has('v')) return host_.does_not_know(command);
  return estimate(*sending, *line);
}

}  // namespace relab::agent::sim
