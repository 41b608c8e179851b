#include "agent/kinds/packages/observe_apt.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/packages/dpkg.h"
#include "agent/kinds/packages/machine.h"
#include "agent/kinds/packages/sources.h"
#include "agent/kinds/support/redact.h"
#include "common/base/text.h"

namespace relab::agent::packages {

namespace {

constexpr std::size_t dpkg_size_max = std::size_t{64} << 20U;

/// apt passes over other names without a word.
bool is_apt_name(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char letter) {
    return std::isalnum(letter) != 0 ||
           std::string_view("_-.").find(static_cast<char>(letter)) != std::string_view::npos;
  });
}

Result<Dpkg> read_dpkg(Host& host) {
  RELAB_TRY(const auto text, host.read_file("/var/lib/dpkg/status", dpkg_size_max));
  return parse_dpkg_status(text);
}

void put(const Dpkg& dpkg, FactsBuilder facts) {
  auto counts = facts.initPackageCounts(static_cast<unsigned>(dpkg.counts.size()));
  unsigned i = 0;
  for (const auto& [status, count] : dpkg.counts) {
    counts[i].setStatus(status);
    counts[i++].setCount(count);
  }
  auto packages = facts.initPackages(static_cast<unsigned>(dpkg.packages.size()));
  i = 0;
  for (const auto& package : dpkg.packages) {
    auto entry = packages[i++];
    entry.setName(package.name);
    entry.setVersion(package.version);
    entry.setStatus(package.status);
  }
}

void put_proxmox(Host& host, const Dpkg& dpkg, FactsBuilder facts, Gaps& gaps) {
  auto proxmox = facts.initProxmox();
  proxmox.setBackupServer(dpkg.version_of("proxmox-backup-server"));
  if (dpkg.version_of("proxmox-backup-server").empty())
    gaps.absent("Proxmox Backup Server", "the package is not installed on this machine");
  const auto text = output_of(host, {.argv = {"pveversion"}});
  if (!text && text.error().fault == Fault::missing) {
    gaps.absent("Proxmox VE", text.error().what);
    return;
  }
  const auto version = text ? parse_pveversion(*text) : fail(text.error());
  if (!version) {
    gaps.problem("Proxmox VE", version.error());
    return;
  }
  proxmox.setVirtualEnvironment(version->version);
  proxmox.setRepositoryId(version->repository_id);
}

struct Found {
  std::vector<std::pair<std::string, Source>> sources = {};
  std::vector<std::string> ignored = {};
};

void add_source_file(Host& host, const Path& path, Found& found, Gaps& gaps) {
  const auto parse = path.extension() == ".sources" ? parse_sources : parse_source_list;
  const auto text = host.read_file(path);
  const auto sources = text ? parse(*text) : fail(text.error());
  if (!sources) {
    gaps.problem(path.string(), sources.error());
    return;
  }
  for (const auto& source : *sources) found.sources.emplace_back(path.string(), source);
}

/// The names in a folder that may not be there.
std::vector<std::string> names_in(Host& host, const Path& folder, Gaps& gaps) {
  auto names = host.list(folder);
  if (names) return std::move(*names);
  if (names.error().fault != Fault::missing) gaps.problem(folder.string(), names.error());
  return {};
}

bool exists(Host& host, const Path& path) {
  const auto status = host.status(path);
  return status || status.error().fault != Fault::missing;
}

Found find_sources(Host& host, Gaps& gaps) {
  Found found;
  // Since deb822 took over, many machines do not have it.
  if (exists(host, "/etc/apt/sources.list"))
    add_source_file(host, "/etc/apt/sources.list", found, gaps);
  const Path folder = "/etc/apt/sources.list.d";
  for (const auto& name : names_in(host, folder, gaps)) {
    const bool is_source = name.ends_with(".list") || name.ends_with(".sources");
    if (is_source && is_apt_name(name))
      add_source_file(host, folder / name, found, gaps);
    else
      found.ignored.push_back(name);
  }
  return found;
}

void put(const Found& found, FactsBuilder facts) {
  auto list = facts.initSources(static_cast<unsigned>(found.sources.size()));
  unsigned i = 0;
  for (const auto& [file, source] : found.sources) {
    auto entry = list[i++];
    entry.setFile(file);
    entry.setLine(source.line);
    entry.setEnabled(source.enabled);
    entry.setTypes(source.types);
    entry.setUris(redact(source.uris));
    entry.setSuites(source.suites);
    entry.setComponents(source.components);
    entry.setSignedBy(source.signed_by);
    entry.setOptions(redact(source.options));
  }
  auto ignored = facts.initIgnoredSources(static_cast<unsigned>(found.ignored.size()));
  for (unsigned at = 0; at < ignored.size(); ++at) ignored.set(at, found.ignored[at]);
}

std::vector<Path> pin_files(Host& host, Gaps& gaps) {
  std::vector<Path> files;
  if (exists(host, "/etc/apt/preferences")) files.emplace_back("/etc/apt/preferences");
  const Path folder = "/etc/apt/preferences.d";
  for (const auto& name : names_in(host, folder, gaps)) {
    const auto extension = Path(name).extension();
    if (is_apt_name(name) && (extension.empty() || extension == ".pref"))
      files.push_back(folder / name);
  }
  return files;
}

bool has_apt(Host& host) { return exists(host, "/etc/apt"); }

}  // namespace

void observe_installed(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto dpkg = read_dpkg(host);
  if (!dpkg && dpkg.error().fault == Fault::missing)
    gaps.absent("installed packages", "no dpkg on this machine");
  else if (!dpkg)
    gaps.problem("installed packages", dpkg.error());
  if (dpkg) put(*dpkg, facts);
  put_proxmox(host, dpkg ? *dpkg : Dpkg{}, facts, gaps);
}

void observe_sources(Host& host, FactsBuilder facts, Gaps& gaps) {
  if (has_apt(host))
    put(find_sources(host, gaps), facts);
  else
    gaps.absent("package sources", "no apt on this machine");
}

void observe_pins(Host& host, FactsBuilder facts, Gaps& gaps) {
  std::vector<std::pair<std::string, Pin>> pins;
  for (const auto& path : pin_files(host, gaps)) {
    const auto text = host.read_file(path);
    const auto parsed = text ? parse_pins(*text) : fail(text.error());
    if (!parsed) {
      gaps.problem(path.string(), parsed.error());
      continue;
    }
    for (const auto& pin : *parsed) pins.emplace_back(path.string(), pin);
  }
  auto list = facts.initPins(static_cast<unsigned>(pins.size()));
  unsigned i = 0;
  for (const auto& [file, pin] : pins) {
    auto entry = list[i++];
    entry.setFile(file);
    entry.setPackages(pin.packages);
    entry.setPin(pin.pin);
    entry.setPriority(pin.priority);
  }
}

void observe_updates(Host& host, FactsBuilder facts, Gaps& gaps) {
  const Path lists = "/var/lib/apt/lists";
  const auto names = names_in(host, lists, gaps);
  facts.setIndexes(static_cast<std::uint32_t>(std::ranges::count_if(
      names, [](const std::string& name) { return name.ends_with("Release"); })));
  if (const auto status = host.status(lists)) facts.setLastUpdate(unix_millis(status->modified));
  const auto required = host.status("/run/reboot-required");
  facts.setRebootRequired(required.has_value());
  if (!required && required.error().fault != Fault::missing)
    gaps.problem("restart required", required.error());
  const auto text = host.read_file("/run/reboot-required.pkgs");
  if (!text) return;
  const auto packages = lines(*text);
  auto list = facts.initRebootPackages(static_cast<unsigned>(packages.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, clean_text(packages[i]));
}

}  // namespace relab::agent::packages
