/// What zfs is asked for, and what is only told by it.

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/storage/pools.h"
#include "agent/host/sim/storage/zpool_text.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

Output no_such_dataset(const std::string& name) {
  return {.status = 1, .err = fmt::format("cannot open '{}': dataset does not exist\n", name)};
}

bool is_of_type(const std::string& types, std::string_view type) {
  const auto all = split(types, ',');
  return std::ranges::find(all, type) != all.end() || types == "all";
}

std::string_view kind_of(const Dataset& dataset) {
  return dataset.is_volume ? "volume" : "filesystem";
}

/// Without a time zone, and without seconds: "Sun Nov 29 20:21 2026".
std::string hold_time(const std::string& in_words) {
  const auto seconds = in_words.rfind(':');
  return in_words.substr(0, seconds) + in_words.substr(in_words.find(' ', seconds));
}

}  // namespace

Result<Output> Pools::zfs(const Command& command) {
  using Answer = Result<Output> (Pools::*)(const Command&);
  static const std::map<std::string, Answer, std::less<>> answers = {
      {"list", &Pools::zfs_list},         {"get", &Pools::zfs_get},
      {"holds", &Pools::zfs_holds},       {"hold", &Pools::zfs_hold},
      {"snapshot", &Pools::zfs_snapshot}, {"create", &Pools::zfs_create},
      {"destroy", &Pools::zfs_destroy},   {"mount", &Pools::zfs_mount},
      {"unmount", &Pools::zfs_unmount},   {"load-key", &Pools::zfs_load_key},
      {"send", &Pools::zfs_send},         {"unload-key", &Pools::zfs_unload_key},
      {"receive", &Pools::zfs_receive},   {"set", &Pools::zfs_set}};
  settle();
  if (command.argv.size() < 2) return host_.does_not_know(command);
  // It prints the same as that.
  if (command.argv[1] == "version") return zpool(command);
  const auto answer = answers.find(command.argv[1]);
  if (answer == answers.end()) return host_.does_not_know(command);
  return (this->*answer->second)(command);
}

bool Pools::key_is_loaded(const Dataset& dataset) const {
  const auto* root = this->dataset(dataset.encryption_root);
  return root == nullptr ? dataset.key_loaded : root->key_loaded;
}

std::optional<std::string> Pools::value_of(const Dataset& dataset, const Snapshot* snapshot,
                                           std::string_view property) const {
  const auto either = [&](std::uint64_t of_dataset, std::uint64_t of_snapshot) {
    return std::to_string(snapshot == nullptr ? of_dataset : of_snapshot);
  };
  const auto only_dataset = [&](std::uint64_t value) {
    return snapshot == nullptr ? std::to_string(value) : std::string("-");
  };
  if (property == "name")
    return snapshot == nullptr ? dataset.name : fmt::format("{}@{}", dataset.name, snapshot->name);
  if (property == "type")
    return std::string(snapshot == nullptr ? kind_of(dataset) : std::string_view("snapshot"));
  if (property == "guid") return either(dataset.guid, snapshot ? snapshot->guid : 0);
  if (property == "createtxg") return either(dataset.txg, snapshot ? snapshot->txg : 0);
  if (property == "creation") return either(dataset.created, snapshot ? snapshot->created : 0);
  if (property == "used") return either(dataset.used, 0);
  if (property == "available" || property == "avail") return only_dataset(dataset.available);
  if (property == "referenced" || property == "refer")
    return either(dataset.referenced, snapshot ? snapshot->referenced : 0);
  if (property == "usedbysnapshots") return only_dataset(dataset.used_by_snapshots);
  if (property == "userrefs")
    return snapshot == nullptr ? "-" : std::to_string(snapshot->holds.size());
  if (property == "encryptionroot")
    return dataset.encrypted() ? dataset.encryption_root : std::string("-");
  if (property == "keystatus") {
    if (!dataset.encrypted()) return "-";
    return key_is_loaded(dataset) ? "available" : "unavailable";
  }
  if (property == "mounted") {
    if (dataset.is_volume || snapshot != nullptr) return "-";
    return mounts_of(dataset.name).empty() ? "no" : "yes";
  }
  if (property.find(':') != std::string_view::npos) return user_value(dataset, property).first;
  const auto found = dataset.properties.find(property);
  if (found == dataset.properties.end()) return {};
  const bool of_both = property == "encryption" || property == "volsize";
  return snapshot == nullptr || of_both ? found->second : std::string("-");
}

std::pair<std::string, std::string> Pools::user_value(const Dataset& dataset,
                                                      std::string_view property) const {
  for (auto name = dataset.name;; name = name.substr(0, name.rfind('/'))) {
    const auto* above = this->dataset(name);
    const auto found =
        above == nullptr ? dataset.user_properties.end() : above->user_properties.find(property);
    if (above != nullptr && found != above->user_properties.end())
      return {found->second, name == dataset.name ? "local" : "inherited from " + name};
    if (name.find('/') == std::string::npos) return {"-", "-"};
  }
}

std::string Pools::source_of(const Dataset& dataset, std::string_view property) const {
  if (property.find(':') != std::string_view::npos) return user_value(dataset, property).second;
  return dataset.properties.contains(property) ? "local" : "-";
}

std::vector<Pools::Listed> Pools::listed(const std::string& above, const std::string& types,
                                         bool recursively) const {
  std::vector<Listed> found;
  const auto* pool = this->pool(pool_of(above));
  if (pool == nullptr) return found;
  const auto wanted = snapshot_of(above);
  for (const auto& [name, dataset] : pool->datasets) {
    const bool here = name == dataset_of(above);
    if (!here && !(recursively && is_within(name, dataset_of(above)))) continue;
    if (wanted.empty() && is_of_type(types, kind_of(dataset))) found.push_back({&dataset, nullptr});
    for (const auto& snapshot : dataset.snapshots) {
      const bool meant =
          wanted.empty() ? is_of_type(types, "snapshot") && recursively : snapshot.name == wanted;
      if (meant) found.push_back({&dataset, &snapshot});
    }
  }
  return found;
}

bool Pools::exists(const std::string& name) const {
  const auto* found = dataset(name);
  if (found == nullptr) return false;
  const auto snapshot = snapshot_of(name);
  return snapshot.empty() ||
         std::ranges::find(found->snapshots, snapshot, &Snapshot::name) != found->snapshots.end();
}

Result<Output> Pools::zfs_list(const Command& command) {
  const auto line = command_line_of(command.argv, "Hpr", "to");
  if (!line || !line->has('H') || !line->has('p') || !line->value('o'))
    return host_.does_not_know(command);
  auto names = line->words;
  if (names.empty())
    for (const auto& pool : pools_)
      if (pool.imported) names.push_back(pool.name);
  const bool all = line->words.empty() || line->has('r');
  const auto columns = *line->value('o');
  Output output;
  for (const auto& name : names) {
    if (!exists(name)) return no_such_dataset(name);
    for (const auto& [dataset, snapshot] :
         listed(name, line->value('t').value_or("filesystem,volume"), all)) {
      std::vector<std::string> row;
      for (const auto column : split(columns, ',')) {
        const auto value = value_of(*dataset, snapshot, column);
        if (!value) return host_.does_not_know(command);
        row.push_back(*value);
      }
      output.out += fmt::format("{}\n", fmt::join(row, "\t"));
    }
  }
  return output;
}

Result<Output> Pools::zfs_get(const Command& command) {
  const auto line = command_line_of(command.argv, "Hpr", "to");
  if (!line || !line->has('H') || !line->has('p') || line->words.size() < 2)
    return host_.does_not_know(command);
  const auto columns = line->value('o').value_or("name,property,value,source");
  Output output;
  for (auto name = line->words.begin() + 1; name != line->words.end(); ++name) {
    if (!exists(*name)) return no_such_dataset(*name);
    const auto types = line->value('t').value_or(line->has('r') ? "all" : "filesystem,volume");
    for (const auto& [dataset, snapshot] : listed(*name, types, line->has('r'))) {
      for (const auto property : split(line->words[0], ',')) {
        const auto value = value_of(*dataset, snapshot, property);
        if (!value) return host_.does_not_know(command);
        const std::map<std::string_view, std::string> known = {
            {"name", *value_of(*dataset, snapshot, "name")},
            {"property", std::string(property)},
            {"value", *value},
            {"source", source_of(*dataset, property)}};
        std::vector<std::string> row;
        for (const auto column : split(columns, ',')) {
          const auto found = known.find(column);
          if (found == known.end()) return host_.does_not_know(command);
          row.push_back(found->second);
        }
        output.out += fmt::format("{}\n", fmt::join(row, "\t"));
      }
    }
  }
  return output;
}

Result<Output> Pools::zfs_holds(const Command& command) {
  const auto line = command_line_of(command.argv, "H", "");
  if (!line || !line->has_only("H") || line->words.empty()) return host_.does_not_know(command);
  Output output;
  for (const auto& name : line->words) {
    if (!exists(name) || snapshot_of(name).empty()) {
      auto refused = no_such_dataset(name);
      refused.err += "no datasets available\n";
      return refused;
    }
    for (const auto& [dataset, snapshot] : listed(name, "snapshot", false))
      for (const auto& [tag, time] : snapshot->holds)
        output.out += fmt::format("{}\t{}\t{}\n", name, tag, hold_time(in_words(time)));
  }
  return output;
}

Result<Output> Pools::zfs_load_key(const Command& command) {
  const auto line = command_line_of(command.argv, "n", "L");
  if (!line || line->words.size() != 1 || line->value('L').value_or("prompt") != "prompt")
    return host_.does_not_know(command);
  const bool tries = line->has('n');
  const auto refused = [&](const std::string& why) {
    return Output{.status = 255,
                  .out = tries ? "0 / 1 key(s) successfully verified\n" : "",
                  .err = fmt::format("Key load error: {}\n", why)};
  };
  const auto& name = line->words[0];
  auto* dataset = find(name);
  if (dataset == nullptr) {
    auto missing = no_such_dataset(name);
    if (tries) missing.out = "0 / 0 key(s) successfully verified\n";
    return missing;
  }
  if (!dataset->encrypted()) return refused(fmt::format("'{}' is not encrypted.", name));
  if (dataset->encryption_root != name)
    return refused(fmt::format("Keys must be loaded for encryption root of '{}' ({}).", name,
                               dataset->encryption_root));
  if (!line->value('L') && value_of(*dataset, nullptr, "keylocation") != "prompt")
    return host_.does_not_know(command);
  if (!tries && dataset->key_loaded)
    return refused(fmt::format("Key already loaded for '{}'.", name));
  // Nobody gives a rehearsal the real ones: whatever is no empty one is taken for the key.
  if (command.input.empty()) return refused("encryption failure");
  if (tries) return Output{.out = "1 / 1 key(s) successfully verified\n"};
  dataset->key_loaded = true;
  return Output{};
}

Result<Output> Pools::zfs_unload_key(const Command& command) {
  const auto line = command_line_of(command.argv, "", "");
  if (!line || line->words.size() != 1) return host_.does_not_know(command);
  const auto& name = line->words[0];
  auto* root = find(name);
  const auto refused = [&](std::string_view why) {
    return Output{.status = 255, .err = fmt::format("Key unload error: '{}' {}\n", name, why)};
  };
  if (root == nullptr) return no_such_dataset(name);
  if (!root->encrypted()) return refused("is not encrypted.");
  if (root->encryption_root != name)
    return Output{.status = 255,
                  .err = fmt::format("Key unload error: Keys must be unloaded for encryption root "
                                     "of '{}' ({}).\n",
                                     name, root->encryption_root)};
  if (!root->key_loaded) return refused("already unloaded.");
  for (const auto& mount : host_.mounts()) {
    const auto* mounted = mount.type == "zfs" ? this->dataset(mount.source) : nullptr;
    if (mounted != nullptr && mounted->encryption_root == name) return refused("is busy.");
  }
  root->key_loaded = false;
  return Output{};
}

}  // namespace relab::agent::sim
