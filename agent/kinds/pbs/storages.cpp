#include "agent/kinds/pbs/storages.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/json.h"

namespace relab::agent::pbs {

namespace {

constexpr auto file = "/etc/pve/storage.cfg";

/// Whether a file with a secret is there; its content is never read.
bool has_secret(Host& host, const std::string& id, const char* suffix, Gaps& gaps) {
  const auto path = fmt::format("/etc/pve/priv/storage/{}{}", id, suffix);
  const auto status = host.status(path);
  if (!status && status.error().fault != Fault::missing) gaps.problem(path, status.error());
  return status.has_value();
}

Storage storage_of(Host& host, ConfigSection config, Gaps& gaps) {
  Storage storage{.config = std::move(config)};
  storage.has_key = has_secret(host, storage.config.id, ".enc", gaps);
  storage.has_master_key = has_secret(host, storage.config.id, ".master.pem", gaps);
  storage.has_password = has_secret(host, storage.config.id, ".pw", gaps);
  return storage;
}

Result<Json> read_states(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"pvesh", "get", "/nodes/localhost/storage",
                                                       "--output-format", "json"}}));
  RELAB_TRY(auto json, parse_json(text, "pvesh get /nodes/localhost/storage"));
  if (!json.is_array())
    return fail(Fault::damaged, "pvesh get /nodes/localhost/storage printed no list");
  return json;
}

void add_state(Storage& storage, const Json& states, Gaps& gaps) {
  const auto state = std::ranges::find_if(
      states, [&](const Json& item) { return text_of(item, "storage") == storage.config.id; });
  if (state == states.end()) {
    // One that is for other nodes is listed by those.
    if (storage.config.value("nodes").empty() && !storage.config.truth("disable"))
      gaps.problem("storage " + storage.config.id, "pvesh does not list it");
    return;
  }
  storage.active = truth_of(*state, "active");
  storage.total = number_of(*state, "total").value_or(0);
  storage.used = number_of(*state, "used").value_or(0);
  storage.available = number_of(*state, "avail").value_or(0);
}

void add_states(Host& host, std::vector<Storage>& storages, Gaps& gaps) {
  if (storages.empty()) return;
  const auto states = read_states(host);
  if (!states) {
    gaps.problem("state of the storages", states.error());
    return;
  }
  for (auto& storage : storages) add_state(storage, *states, gaps);
}

}  // namespace

std::vector<Storage> read_storages(Host& host, Gaps& gaps) {
  std::vector<Storage> storages;
  const auto text = host.read_file(file);
  if (!text) {
    if (text.error().fault != Fault::missing) gaps.problem(file, text.error());
    return storages;
  }
  auto sections = parse_section_config(*text, file);
  if (!sections) {
    gaps.problem(file, sections.error());
    return storages;
  }
  for (auto& section : *sections)
    if (section.type == "pbs") storages.push_back(storage_of(host, std::move(section), gaps));
  add_states(host, storages, gaps);
  return storages;
}

}  // namespace relab::agent::pbs
