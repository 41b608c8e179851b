/// What `zfs receive` makes of a stream. What a snapshot holds is known by its GUID: a stream has
/// too little of it.

#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "agent/host/sim/storage/pools.h"

namespace relab::agent::sim {

namespace {

Output failed(std::string words) { return {.status = 1, .err = std::move(words) + "\n"}; }

/// The dataset that a part of a stream is received into.
std::string place_of(const zfs::Substream& part, const std::string& top,
                     const std::string& target) {
  return target + dataset_of(part.to_name).substr(dataset_of(top).size());
}

}  // namespace

std::string Pools::refusal_of(const std::string& target, const zfs::Substream& part) const {
  const auto slash = target.rfind('/');
  const auto* there = dataset(target);
  if (slash == std::string::npos || dataset(target.substr(0, slash)) == nullptr)
    return fmt::format("cannot open '{}': dataset does not exist", target.substr(0, slash));
  if (there != nullptr) {
    const auto token = there->properties.find("receive_resume_token");
    const bool interrupted = token != there->properties.end() && token->second != "-";
    if (interrupted && token->second == fmt::format("1-{:x}", part.to_guid)) return {};
    if (interrupted)
      return fmt::format(
          "cannot receive new filesystem stream: destination {} contains "
          "partially-complete state from \"zfs receive -s\".",
          target);
  }
  if (part.from_guid == 0 && there != nullptr)
    return fmt::format(
        "cannot receive new filesystem stream: destination '{}' exists\nmust "
        "specify -F to overwrite it",
        target);
  if (part.from_guid == 0)
    return pool(pool_of(target))->is_read_only()
               ? "cannot receive new filesystem stream: pool is read-only"
               : "";
  if (there == nullptr)
    return fmt::format("cannot receive incremental stream: destination '{}' does not exist",
                       target);
  if (there->snapshots.empty() || there->snapshots.back().guid != part.from_guid)
    return fmt::format(
        "cannot receive incremental stream: most recent snapshot of {} does not\n"
        "match incremental source",
        target);
  return {};
}

/// Its own, unless the dataset from which its original has the key is in the same stream.
std::string Pools::root_of_received(const std::string& name, const Receiving& receiving,
                                    const Sent& sent) {
  const bool together = receiving.datasets.contains(sent.encryption_root);
  if (!together || !is_within(sent.name, sent.encryption_root)) return name;
  return name.substr(0, name.size() - (sent.name.size() - sent.encryption_root.size()));
}

Dataset& Pools::make_received(const std::string& name, const Receiving& receiving,
                              const zfs::Substream& part) {
  const auto& sent = sent_.at(part.to_guid);
  auto* pool = find_pool(pool_of(name));
  const auto found = pool->datasets.find(name);
  if (found != pool->datasets.end()) return found->second;
  const auto& above = pool->datasets.at(name.substr(0, name.rfind('/')));
  Dataset made{.name = name,
               .is_volume = sent.is_volume,
               .guid = made_guid(fmt::format("{} {}", name, pool->txg)),
               .txg = pool->txg,
               .created = static_cast<std::uint64_t>(host_.now().time_since_epoch().count()) / 1000,
               .available = above.available,
               .properties = sent.properties};
  made.properties["receive_resume_token"] = made.properties["origin"] = "-";
  const bool raw = part.has(zfs::Feature::raw);
  if (raw && sent.encrypted) {
    made.encryption_root = root_of_received(name, receiving, sent);
    if (made.encryption_root == name) made.properties["keylocation"] = "prompt";
  } else {
    made.encryption_root = above.encryption_root;
    const auto cipher = above.properties.find("encryption");
    made.properties["encryption"] = cipher == above.properties.end() ? "off" : cipher->second;
  }
  return pool->datasets.emplace(name, std::move(made)).first->second;
}

void Pools::set_received(Dataset& dataset, const CommandLine& line) {
  for (const auto& option : line.all('o')) {
    const auto equals = std::min(option.find('='), option.size());
    const auto key = option.substr(0, equals);
    auto& to = key.find(':') == std::string::npos ? dataset.properties : dataset.user_properties;
    to.insert_or_assign(key, option.substr(std::min(equals + 1, option.size())));
  }
  for (const auto& property : line.all('x')) {
    const auto* above = this->dataset(dataset.name.substr(0, dataset.name.rfind('/')));
    const auto inherited = above == nullptr ? std::string("none")
                                            : value_of(*above, nullptr, property).value_or("none");
    const auto name = dataset.name.substr(dataset.name.rfind('/') + 1);
    const bool is_place = property == "mountpoint" && inherited.starts_with('/');
    dataset.properties[property] =
        is_place ? (Path(inherited) / name).lexically_normal().string() : inherited;
  }
}

/// As `zfs receive -s` leaves it: it can go on from there.
void Pools::interrupt(const std::string& name, const Receiving& receiving,
                      const zfs::Substream& part) {
  auto& dataset = make_received(name, receiving, part);
  set_received(dataset, receiving.line);
  dataset.properties["receive_resume_token"] = fmt::format("1-{:x}", part.to_guid);
}

Output Pools::receive_part(const std::string& name, const Receiving& receiving,
                           const zfs::Substream& part) {
  if (const auto refusal = refusal_of(name, part); !refusal.empty()) return failed(refusal);
  const auto& sent = sent_.at(part.to_guid);
  auto* pool = find_pool(pool_of(name));
  const auto bytes = part.from_guid == 0 ? std::max(sent.snapshot.bytes, sent.snapshot.referenced)
                                         : sent.snapshot.bytes;
  if (pool->datasets.at(pool->name).available < bytes) {
    if (receiving.line.has('s')) interrupt(name, receiving, part);
    return failed("cannot receive new filesystem stream: out of space");
  }
  pool->txg += 10;
  auto& dataset = make_received(name, receiving, part);
  set_received(dataset, receiving.line);
  dataset.properties["receive_resume_token"] = "-";
  auto snapshot = sent.snapshot;
  snapshot.txg = pool->txg;
  snapshot.holds.clear();
  dataset.referenced = snapshot.referenced;
  dataset.tree = snapshot.tree;
  dataset.snapshots.push_back(std::move(snapshot));
  charge(dataset, static_cast<std::int64_t>(bytes));
  host_.spend(bytes, speed_of(*pool).write);
  return {};
}

SimHost::Drain Pools::drain_of(const Command& command) const {
  const auto name = pool_of(command.argv.back());
  const auto* into = command.argv.size() > 1 && command.argv[1] == "receive" ? pool(name) : nullptr;
  if (into == nullptr) return {};
  return {.each_second = speed_of(*into).write, .is_stuck = [this, name] {
            const auto* there = pool(name);
            return there == nullptr || there->is_lost();
          }};
}

Result<Output> Pools::zfs_receive(const Command& command) {
  const auto line = command_line_of(command.argv, "su", "ox");
  if (!line || !line->has('u') || line->words.size() != 1) return host_.does_not_know(command);
  const auto& target = line->words[0];
  zfs::SendStreamReader reader(zfs::Scrutiny::checksums);
  const bool fed = reader.feed(std::as_bytes(std::span(command.input))).has_value();
  const auto begun = reader.so_far();
  const bool whole = fed && std::move(reader).finish().has_value();
  const auto top = begun.to_name.empty() ? std::string("@") : begun.to_name;
  const auto* pool = this->pool(pool_of(target));
  if (pool == nullptr)
    return failed(fmt::format("cannot open '{}': dataset does not exist", target));
  if (pool->is_lost()) return failed("cannot receive: pool I/O is currently suspended");
  Receiving receiving{.line = *line, .datasets = {}};
  for (const auto& part : begun.substreams) receiving.datasets.insert(dataset_of(part.to_name));
  for (const auto& part : begun.substreams) {
    if (!sent_.contains(part.to_guid)) return host_.does_not_know(command);
    const auto name = place_of(part, top, target);
    const bool ended = part.bytes != 0;
    if (!ended && line->has('s') && refusal_of(name, part).empty())
      interrupt(name, receiving, part);
    if (!ended) break;
    if (const auto received = receive_part(name, receiving, part); received.status != 0)
      return received;
  }
  if (whole) return Output{};
  if (begun.substreams.empty()) return failed("cannot receive: failed to read from stream");
  return failed("cannot receive: invalid stream (checksum mismatch or incomplete stream)");
}

}  // namespace relab::agent::sim
