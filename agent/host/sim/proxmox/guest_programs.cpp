#include "agent/host/sim/proxmox/guest_programs.h"

#include <array>
#include <fmt/format.h>

#include "agent/kinds/support/json.h"
#include "agent/kinds/support/section_config.h"
#include "common/base/number.h"

namespace relab::agent::sim {

namespace {

constexpr std::string_view root_folders = "SELECT Path FROM RootFolders UNION ALL SELECT NULL";
constexpr std::size_t head_size = 16;

/// The path in "file:/var/lib/x%20y.db?mode=ro".
std::string path_in(std::string_view uri) {
  constexpr std::string_view scheme = "file:";
  uri = uri.substr(uri.starts_with(scheme) ? scheme.size() : 0);
  uri = uri.substr(0, uri.find('?'));
  std::string path;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    constexpr int base = 16;
    const auto code = uri[i] == '%' ? parse_number<std::uint8_t>(uri.substr(i + 1, 2), base)
                                    : Result<std::uint8_t>(fail(Fault::invalid, ""));
    path += code ? static_cast<char>(*code) : uri[i];
    if (code) i += 2;
  }
  return path;
}

Result<Output> sqlite(SimHost& host, const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() < 3 || argv.back() != root_folders) return host.does_not_know(command);
  const auto text = host.read_file(path_in(argv[argv.size() - 2]));
  if (!text) return Output{.status = 1, .err = "Error: unable to open database file\n"};
  auto rows = Json::parse(text->substr(std::min(text->size(), head_size)), nullptr, false);
  if (!text->starts_with("SQLite format 3") || !rows.is_array())
    return Output{.status = 1, .err = "Error: file is not a database\n"};
  rows.push_back({{"Path", nullptr}});
  Output output{.out = "["};
  for (const auto& row : rows) output.out += (output.out.size() == 1 ? "" : ",\n") + row.dump();
  output.out += "]\n";
  return output;
}

struct List {
  std::string_view command;
  std::string_view file;
  std::string_view name;
};
constexpr std::array<List, 4> lists{{{"datastore", "datastore.cfg", "name"},
                                     {"prune-job", "prune.cfg", "id"},
                                     {"verify-job", "verification.cfg", "id"},
                                     {"sync-job", "sync.cfg", "id"}}};

Result<Output> manager(SimHost& host, const Command& command) {
  if (!host.status("/usr/sbin/proxmox-backup-manager"))
    return fail(Fault::missing, "no proxmox-backup-manager on this machine");
  const auto& argv = command.argv;
  for (const auto& list : lists) {
    const std::vector<std::string> known = {argv[0], std::string(list.command), "list",
                                            "--output-format", "json"};
    if (argv != known) continue;
    Json all = Json::array();
    const auto text = host.read_file(fmt::format("/etc/proxmox-backup/{}", list.file));
    const auto sections = parse_section_config(text ? *text : std::string(), list.file);
    if (!sections) return Output{.status = 255, .err = sections.error().what + "\n"};
    for (const auto& section : *sections) {
      Json item = {{std::string(list.name), section.id}};
      for (const auto& [key, value] : section.values) item[key] = value;
      all.push_back(std::move(item));
    }
    return Output{.out = all.dump() + "\n"};
  }
  return host.does_not_know(command);
}

}  // namespace

void install_sqlite(SimHost& host) {
  host.program("sqlite3", [&host](const Command& command) { return sqlite(host, command); });
}

void install_backup_manager(SimHost& host) {
  host.program("proxmox-backup-manager",
               [&host](const Command& command) { return manager(host, command); });
}

}  // namespace relab::agent::sim
