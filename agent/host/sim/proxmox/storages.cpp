#include "agent/host/sim/proxmox/storages.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

const Path file = "/etc/pve/storage.cfg";

/// Lines of one section.
class Section {
 public:
  Section(std::string_view type, std::string_view id) : text_(fmt::format("{}: {}\n", type, id)) {}
  Section& set(std::string_view key, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("\t{} {}\n", key, value);
    return *this;
  }
  Section& bare(std::string_view key, bool value) {
    if (value) text_ += fmt::format("\t{}\n", key);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string remote_text(schema::AuditPbs::Storage::Reader storage) {
  return Section("pbs", view(storage.getId()))
      .bare("disable", !storage.getEnabled())
      .set("datastore", view(storage.getDatastore()))
      .set("server", view(storage.getServer()))
      .set("content", "backup")
      .set("fingerprint", view(storage.getFingerprint()))
      .set("namespace", view(storage.getNamespace()))
      .set("nodes", view(storage.getNodes()))
      .set("port", storage.getPort() == 0 ? "" : std::to_string(storage.getPort()))
      .set("prune-backups", view(storage.getPruneBackups()))
      .set("username", view(storage.getUsername()))
      .text();
}

/// Where ZFS has the dataset of a storage, if not where it is by itself.
std::string mountpoint_of(World world, std::string_view pool) {
  for (const auto dataset : world.getZfs().getDatasets())
    if (view(dataset.getName()) == pool && view(dataset.getMountpoint()).starts_with('/') &&
        view(dataset.getMountpoint()) != "/" + std::string(pool))
      return str(dataset.getMountpoint());
  return {};
}

/// What the audit does not tell is as the installer leaves it.
std::string_view content_of(std::string_view id, std::string_view type) {
  if (type == "dir" && id == "local") return "iso,vztmpl,backup,snippets";
  if (type == "dir") return "images,rootdir,vztmpl,iso,backup,snippets";
  if (type == "nfs" || type == "cifs") return "backup";
  return "images,rootdir";
}

std::string local_text(World world, schema::AuditGuests::Storage::Reader storage) {
  const auto type = view(storage.getType());
  Section section(type, view(storage.getId()));
  section.set("path", view(storage.getPath())).set("pool", view(storage.getPool()));
  section.set("content", content_of(view(storage.getId()), type));
  if (type == "zfspool")
    section.set("mountpoint", mountpoint_of(world, view(storage.getPool()))).set("sparse", "1");
  return section.text();
}

bool is_subvolume(std::string_view name) {
  return name.starts_with("subvol-") || name.starts_with("basevol-");
}

/// What lies in which folder of a storage that is one.
std::string folder_of(std::string_view kind) {
  if (kind == "vztmpl") return "template/cache";
  if (kind == "iso") return "template/iso";
  if (kind == "backup") return "dump";
  if (kind == "snippets") return "snippets";
  return "images/" + std::string(kind);
}

std::string path_in(const ConfigSection& storage, std::string_view name) {
  const auto& type = storage.type;
  if (type == "zfspool") {
    const auto pool = storage.value("pool");
    if (!is_subvolume(name)) return fmt::format("/dev/zvol/{}/{}", pool, name);
    const auto point = storage.value("mountpoint");
    return fmt::format("{}/{}", point.empty() ? "/" + pool : point, name);
  }
  if (type == "lvm" || type == "lvmthin") {
    const auto group = storage.value("vgname");
    return fmt::format("/dev/{}/{}", group.empty() ? "pve" : group, name);
  }
  const auto slash = name.find('/');
  if (storage.value("path").empty() || slash == std::string_view::npos) return {};
  return fmt::format("{}/{}/{}", storage.value("path"), folder_of(name.substr(0, slash)),
                     name.substr(slash + 1));
}

bool is_here(const ConfigSection& storage, std::string_view node) {
  const auto nodes = storage.value("nodes");
  const auto parts = split(nodes, ',');
  return nodes.empty() || std::ranges::find(parts, node) != parts.end();
}

bool is_template(std::string_view name) {
  constexpr std::array endings{".tar.gz", ".tar.xz", ".tar.zst"};
  return std::ranges::any_of(endings, [&](const char* ending) { return name.ends_with(ending); });
}

}  // namespace

Storages::Storages(SimHost& host, World world, std::string node)
    : host_(host), node_(std::move(node)) {
  write(world);
  for (const auto storage : world.getPbs().getStorages()) {
    const auto id = str(storage.getId());
    remotes_[id] = {.active = storage.getActive(),
                    .total = storage.getTotal(),
                    .used = storage.getUsed(),
                    .available = storage.getAvailable()};
    const auto secret = [&](const char* suffix, bool there) {
      if (there)
        host_.file(fmt::format("/etc/pve/priv/storage/{}{}", id, suffix), "simulated\n",
                   {.mode = 0600});
    };
    secret(".enc", storage.getEncrypted());
    secret(".master.pem", storage.getMasterKey());
    secret(".pw", storage.getPassword());
  }
}

void Storages::write(World world) {
  std::map<std::string, std::string> remotes;
  for (const auto storage : world.getPbs().getStorages())
    remotes.emplace(str(storage.getId()), remote_text(storage));
  std::string text;
  const auto add = [&](const std::string& section) {
    text += (text.empty() ? "" : "\n") + section;
  };
  for (const auto storage : world.getGuests().getStorages()) {
    const auto remote = remotes.extract(str(storage.getId()));
    add(remote.empty() ? local_text(world, storage) : remote.mapped());
  }
  for (const auto& [id, section] : remotes) add(section);
  if (!text.empty()) host_.file(file, text, {.mode = 0640, .gid = 33});
}

Result<std::vector<ConfigSection>> Storages::all() const {
  const auto text = host_.read_file(file);
  if (text) return parse_section_config(*text, file.string());
  if (text.error().fault != Fault::missing) return fail(text.error());
  // What Proxmox takes for granted then.
  return std::vector<ConfigSection>{
      {.type = "dir",
       .id = "local",
       .values = {{"path", "/var/lib/vz"}, {"content", "backup,vztmpl,iso"}}}};
}

Result<ConfigSection> Storages::named(std::string_view id) const {
  RELAB_TRY(const auto sections, all());
  const auto found = std::ranges::find(sections, id, &ConfigSection::id);
  if (found == sections.end())
    return fail(Fault::missing, fmt::format("storage '{}' does not exist", id));
  if (found->truth("disable"))
    return fail(Fault::missing, fmt::format("storage '{}' is disabled", id));
  if (!is_here(*found, node_))
    return fail(Fault::missing,
                fmt::format("storage '{}' is not available on node '{}'", id, node_));
  return *found;
}

bool Storages::takes(const ConfigSection& storage, std::string_view content) {
  const auto list = storage.value("content");
  const auto parts = split(list, ',');
  return std::ranges::find(parts, content) != parts.end();
}

Result<std::string> Storages::path_of(std::string_view volid) const {
  const auto colon = volid.find(':');
  if (colon == std::string_view::npos)
    return fail(Fault::invalid, fmt::format("unable to parse volume ID '{}'", volid));
  RELAB_TRY(const auto storage, named(volid.substr(0, colon)));
  auto path = path_in(storage, volid.substr(colon + 1));
  if (path.empty())
    return fail(Fault::invalid, fmt::format("unable to parse {} volume name '{}'", storage.type,
                                            volid.substr(colon + 1)));
  return path;
}

Result<Volume> Storages::volume(const std::string& storage, const std::string& name,
                                std::uint64_t bytes) const {
  RELAB_TRY(const auto section, named(storage));
  if (!takes(section, "rootdir"))
    return fail(Fault::invalid,
                fmt::format("storage '{}' does not support container directories", storage));
  Volume volume{.storage = storage, .name = name};
  volume.bytes = bytes;
  volume.path = path_in(section, name);
  if (section.type == "zfspool") volume.dataset = section.value("pool") + "/" + name;
  return volume;
}

std::optional<Path> Storages::host_path(const PveConfig& config, std::string_view path) const {
  std::optional<GuestMount> best;
  for (const auto& mount : container_mounts(config.current)) {
    const auto above = mount.path == "/" ? std::string() : mount.path;
    const bool is_below = path == above || path.starts_with(above + "/");
    if (is_below && (!best || mount.path.size() > best->path.size())) best = mount;
  }
  if (!best || best->of_device()) return {};
  const auto rest = path.substr(best->path == "/" ? 0 : best->path.size());
  if (best->of_host()) return Path(best->source + std::string(rest));
  const auto volume = path_of(best->source);
  const bool is_folder = volume && is_subvolume(Path(*volume).filename().string());
  return is_folder ? std::optional(Path(*volume + std::string(rest))) : std::nullopt;
}

Json Storages::state_of(const ConfigSection& storage) const {
  const bool enabled = !storage.truth("disable");
  static const std::set<std::string, std::less<>> elsewhere = {"pbs", "nfs", "cifs", "cephfs"};
  Remote state;
  if (const auto known = remotes_.find(storage.id); known != remotes_.end()) {
    state = known->second;
  } else if (enabled && !elsewhere.contains(storage.type)) {
    const auto path = storage.value("path");
    const auto room = host_.file_system(path.empty() ? "/" : path);
    state.active = room.has_value();
    if (room) state.total = room->size;
    if (room) state.available = room->free;
    state.used = state.total - std::min(state.total, state.available);
  }
  Json json = {{"storage", storage.id},
               {"type", storage.type},
               {"content", storage.value("content")},
               {"enabled", enabled ? 1 : 0},
               {"shared", elsewhere.contains(storage.type) ? 1 : 0},
               {"active", enabled && state.active ? 1 : 0},
               {"total", state.total},
               {"used", state.used},
               {"avail", state.available}};
  if (state.total != 0)
    json["used_fraction"] = static_cast<double>(state.used) / static_cast<double>(state.total);
  return json;
}

Json Storages::states() const {
  Json list = Json::array();
  const auto sections = all();
  if (!sections) return list;
  for (const auto& storage : *sections)
    if (is_here(storage, node_)) list.push_back(state_of(storage));
  return list;
}

Result<Json> Storages::templates(std::string_view id) const {
  RELAB_TRY(const auto storage, named(id));
  Json list = Json::array();
  if (!takes(storage, "vztmpl")) return list;
  const auto folder = Path(storage.value("path")) / folder_of("vztmpl");
  const auto names = host_.list(folder);
  if (!names) return list;
  for (const auto& name : *names) {
    const auto status = host_.status(folder / name);
    if (!is_template(name) || !status) continue;
    const auto grain = host_.grain_of(folder / name);
    list.push_back({{"content", "vztmpl"},
                    {"ctime", unix_millis(status->modified) / 1000},
                    {"format", "t" + name.substr(name.rfind('.') + 1)},
                    {"size", status->size * grain},
                    {"volid", fmt::format("{}:vztmpl/{}", id, name)}});
  }
  return list;
}

bool Storages::is_full(std::string_view id) const {
  const bool full = std::ranges::find(full_, id) != full_.end();
  if (full) met_full_.emplace(id);
  return full;
}

}  // namespace relab::agent::sim
