/// The files of a simulated machine as they are written, what they are mounted on, and its room.

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/sim_host.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

/// Of what is known by points of the tree, what holds for this path.
template <class Known>
auto nearest(Known& known, const Path& path) {
  for (auto at = path;; at = at.parent_path()) {
    const auto found = known.find(at.string());
    if (found != known.end() || at == at.parent_path()) return found;
  }
}

/// Which mount each one lies on: the last one before it on its own point, or else the closest
/// above. The root may come after what lies on it.
std::vector<std::optional<std::size_t>> beneath_each(const std::vector<SimMount>& mounts) {
  std::vector<std::optional<std::size_t>> beneath(mounts.size());
  const auto root = std::ranges::find(mounts.rbegin(), mounts.rend(), Path("/"), &SimMount::point);
  std::map<std::string, std::size_t> before;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto& point = mounts[i].point;
    for (auto place = point; !beneath[i] && place != "/"; place = place.parent_path())
      if (const auto found = before.find(place.string()); found != before.end())
        beneath[i] = found->second;
    const auto covered = before.find("/");
    if (!beneath[i] && point == "/" && covered != before.end()) beneath[i] = covered->second;
    if (!beneath[i] && point != "/" && root != mounts.rend())
      beneath[i] = static_cast<std::size_t>(mounts.rend() - root) - 1;
    before[point.string()] = i;
  }
  return beneath;
}

/// The kernel's number of a file system, which a machine and its containers have in common.
std::uint32_t number_of(const SimMount& mount) {
  // http://www.isthe.com/chongo/tech/comp/fnv/
  constexpr std::uint32_t basis = 2166136261;
  constexpr std::uint32_t prime = 16777619;
  constexpr std::uint32_t minor_bits = 20;
  auto hash = basis;
  for (const char c : mount.type + " " + mount.source)
    hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return hash >> (32 - minor_bits);
}

}  // namespace

class SimNewFile final : public NewFile {
 public:
  SimNewFile(SimHost& host, Path path) : host_(host), path_(std::move(path)) {}
  SimNewFile(const SimNewFile&) = delete;
  SimNewFile& operator=(const SimNewFile&) = delete;
  ~SimNewFile() override {
    if (!published_) static_cast<void>(host_.remove_file(path_).has_value());
  }

  Result<void> take(ByteView piece) override {
    const auto grain = std::max(host_.grain_, host_.flowed_);
    const auto bytes = piece.size() * grain;
    RELAB_CHECK(host_.wear(path_, bytes));
    RELAB_CHECK(host_.take_room(path_, bytes));
    host_.spend(bytes, host_.speed_at(path_).write);
    auto& node = host_.nodes_[path_.string()];
    node.content += text_of(piece);
    node.status.size = node.content.size();
    node.grain = std::max(node.grain, grain);
    return {};
  }
  Result<void> publish(const Path& name) override {
    RELAB_CHECK(host_.check_unbroken(name));
    if (host_.nodes_.contains(name.string()))
      return fail(Fault::conflict, fmt::format("{} is there already", name.string()));
    const auto written = host_.nodes_[path_.string()];
    host_.file(name, written.content, {.mode = 0600, .modified = host_.now_});
    host_.nodes_[name.string()].grain = written.grain;
    host_.remove(path_);
    published_ = true;
    return {};
  }

 private:
  SimHost& host_;
  Path path_;
  bool published_ = false;
};

Result<std::unique_ptr<NewFile>> SimHost::create_file(const Path& path) {
  if (const auto error = broken_.find(path.string()); error != broken_.end())
    return fail(error->second);
  RELAB_CHECK(check_writable(path));
  if (!nodes_.contains(path.parent_path().string()))
    return fail(Fault::missing, fmt::format("there is no {}", path.string()));
  if (nodes_.contains(path.string()))
    return fail(Fault::conflict, fmt::format("{} is there already", path.string()));
  file(path, {}, {.mode = 0600});
  flowed_ = 1;
  return std::make_unique<SimNewFile>(*this, path);
}

Result<void> SimHost::copy_database(const Path& database, const Path& copy) {
  RELAB_TRY(const auto* node, find(database, true));
  if (nodes_.contains(copy.string()))
    return fail(Fault::conflict, fmt::format("{} is there already", copy.string()));
  auto status = node->status;
  status.changed = now_;
  file(copy, node->content, status);
  return {};
}

Result<void> SimHost::check_folder(const Path& path) const {
  RELAB_CHECK(check_unbroken(path));
  Path walked = "/";
  for (const auto& part : path.parent_path()) {
    walked /= part;
    const auto node = nodes_.find(walked.string());
    if (node == nodes_.end())
      return fail(Fault::missing, fmt::format("there is no {}", walked.string()));
    if (const auto error = broken_.find(walked.string()); error != broken_.end())
      return fail(error->second);
    if (node->second.status.type != FileType::directory)
      return fail(Fault::conflict, fmt::format("{} is no folder", walked.string()));
  }
  return {};
}

Result<void> SimHost::put_file(const Path& path, const Content& content, const Rights& rights) {
  RELAB_CHECK(check_folder(path));
  if (const auto error = broken_.find(path.string()); error != broken_.end())
    return fail(error->second);
  RELAB_CHECK(check_writable(path));
  auto text = content.text;
  if (!content.secret.empty()) {
    const auto secret = secrets_.find(content.secret);
    if (secret == secrets_.end())
      return fail(Fault::missing,
                  fmt::format("no secret '{}' came with the order", content.secret));
    text = secret->second;
  }
  const auto node = nodes_.find(path.string());
  const bool there = node != nodes_.end();
  if (there && node->second.status.type != FileType::regular)
    return fail(Fault::conflict, fmt::format("{} is no regular file", path.string()));
  // The old one is there until the new one is whole.
  RELAB_CHECK(take_room(path, text.size()));
  if (there) vacate(path, node->second.content.size());
  file(path, std::move(text),
       {.mode = rights.mode, .uid = rights.uid, .gid = rights.gid, .modified = now_});
  return {};
}

Result<void> SimHost::put_directory(const Path& path, const Rights& rights) {
  RELAB_CHECK(check_folder(path));
  if (const auto error = broken_.find(path.string()); error != broken_.end())
    return fail(error->second);
  const auto node = nodes_.find(path.string());
  if (node != nodes_.end() && node->second.status.type != FileType::directory)
    return fail(Fault::conflict, fmt::format("{} is no folder", path.string()));
  RELAB_CHECK(check_writable(path));
  directory(path);
  auto& status = nodes_[path.string()].status;
  status.mode = rights.mode;
  status.uid = rights.uid;
  status.gid = rights.gid;
  status.changed = now_;
  return {};
}

Result<void> SimHost::remove_file(const Path& path) {
  RELAB_CHECK(check_unbroken(path));
  const auto node = nodes_.find(path.string());
  if (node == nodes_.end()) return {};
  RELAB_CHECK(check_writable(path));
  if (node->second.status.type == FileType::directory)
    return fail(Fault::invalid, fmt::format("{} is no file", path.string()));
  if (auto* room = room_at(path); room != nullptr)
    room->free += node->second.content.size() * node->second.grain;
  nodes_.erase(node);
  return {};
}

void SimHost::breaks(const Path& folder, Error error, std::uint64_t after_bytes) {
  breakings_.insert_or_assign(folder.string(),
                              Breaking{.error = std::move(error), .after_bytes = after_bytes});
}

SimHost::Breaking* SimHost::breaking_at(const Path& path) {
  const auto found = nearest(breakings_, path);
  return found == breakings_.end() ? nullptr : &found->second;
}

Result<void> SimHost::check_unbroken(const Path& path) const {
  const auto found = nearest(breakings_, path);
  if (found == breakings_.end() || found->second.after_bytes != 0) return {};
  return fail(found->second.error);
}

bool SimHost::is_read_only(const Path& path) const {
  const SimMount* closest = nullptr;
  for (const auto& mount : mounts_) {
    const auto& point = mount.point.string();
    const bool has_it = point == "/" || path == mount.point ||
                        (path.string().starts_with(point) && path.string()[point.size()] == '/');
    if (has_it && (closest == nullptr || point.size() >= closest->point.string().size()))
      closest = &mount;
  }
  return closest != nullptr && split(closest->options, ',').front() == "ro";
}

Result<void> SimHost::check_writable(const Path& path) const {
  RELAB_CHECK(check_unbroken(path));
  if (!is_read_only(path)) return {};
  return fail(Fault::damaged, fmt::format("{}: Read-only file system", path.string()));
}

Result<void> SimHost::wear(const Path& path, std::uint64_t bytes) {
  if (auto* breaking = breaking_at(path); breaking != nullptr)
    breaking->after_bytes -= std::min(breaking->after_bytes, bytes);
  return check_unbroken(path);
}

FileSystem* SimHost::room_at(const Path& path) {
  const auto room = nearest(rooms_, path);
  return room == rooms_.end() ? nullptr : &room->second;
}

SimSpeed SimHost::speed_at(const Path& path) const {
  const auto speed = nearest(speeds_, path);
  return speed == speeds_.end() ? SimSpeed{} : speed->second;
}

bool SimHost::occupy(const Path& path, std::uint64_t bytes) {
  return take_room(path, bytes).has_value();
}

Result<void> SimHost::take_room(const Path& path, std::uint64_t bytes) {
  const auto found = nearest(rooms_, path);
  if (found == rooms_.end()) return {};
  auto& [point, room] = *found;
  if (room.free < bytes) {
    ran_out_of_room_.insert(point);
    return fail(Fault::busy, fmt::format("the disk is full: {}", path.string()));
  }
  room.free -= bytes;
  return {};
}

void SimHost::vacate(const Path& path, std::uint64_t bytes) {
  if (auto* room = room_at(path); room != nullptr) room->free += bytes;
}

void SimHost::stand_for(const Path& path, std::uint64_t bytes) {
  const auto node = nodes_.find(path.lexically_normal().string());
  if (node != nodes_.end()) node->second.grain = bytes;
}

std::uint64_t SimHost::grain_of(const Path& path) const {
  const auto found = resolve(path, true);
  return found ? (*found)->second.grain : 1;
}

Result<FileSystem> SimHost::file_system(const Path& path) {
  RELAB_TRY(const auto real, canonical(path));
  if (const auto* room = room_at(real); room != nullptr) return *room;
  return FileSystem{.size = std::uint64_t{1} << 50U, .free = std::uint64_t{1} << 50U};
}

SimHost::Nodes SimHost::take_below(const Path& folder) {
  const auto above = folder == "/" ? std::string("/") : folder.string() + "/";
  Nodes taken;
  auto at = nodes_.upper_bound(above);
  while (at != nodes_.end() && at->first.starts_with(above)) taken.insert(nodes_.extract(at++));
  return taken;
}

Result<void> SimHost::mount(const SimMount& mount) {
  const auto point = mount.point.lexically_normal();
  const auto node = nodes_.find(point.string());
  if (node == nodes_.end() || node->second.status.type != FileType::directory)
    return fail(Fault::missing, fmt::format("mount point {} does not exist", point.string()));
  if (point != "/") covered_[point.string()].push_back(take_below(point));
  mounts_.push_back(mount);
  mounts_.back().point = point;
  // The tree is kept with paths from the point on: it may be mounted elsewhere the next time.
  if (auto there = unmounted_.extract(mount.source + " " + mount.root); !there.empty())
    for (auto& [name, content] : there.mapped())
      nodes_.emplace(point == "/" ? name : point.string() + name, std::move(content));
  tell_mounts();
  return {};
}

Result<void> SimHost::unmount(const Path& named) {
  const auto point = named.lexically_normal();
  const auto last = std::ranges::find(mounts_.rbegin(), mounts_.rend(), point, &SimMount::point);
  if (last == mounts_.rend())
    return fail(Fault::missing, fmt::format("umount: {}: not mounted.", point.string()));
  const auto above = point.string() + "/";
  for (const auto& other : mounts_)
    if (other.point.string().starts_with(above))
      return fail(Fault::busy, fmt::format("umount: {}: target is busy.", point.string()));
  Nodes kept;
  for (auto& [name, content] : take_below(point))
    kept.emplace(name.substr(point.string().size()), std::move(content));
  unmounted_[last->source + " " + last->root] = std::move(kept);
  if (auto& covered = covered_[point.string()]; !covered.empty()) {
    nodes_.merge(covered.back());
    covered.pop_back();
  }
  mounts_.erase(std::next(last).base());
  tell_mounts();
  return {};
}

void SimHost::tell_mounts() {
  // https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
  std::string table;
  constexpr std::size_t first_id = 21;
  const auto beneath = beneath_each(mounts_);
  for (std::size_t i = 0; i < mounts_.size(); ++i) {
    const auto& mount = mounts_[i];
    const auto id = first_id + i;
    table += fmt::format("{} {} 0:{} {} {} {} shared:{} - {} {} {}\n", id,
                         beneath[i] ? first_id + *beneath[i] : 1, number_of(mount), mount.root,
                         mount.point.string(), mount.options, id, mount.type, mount.source,
                         mount.options.starts_with("ro") ? "ro" : "rw");
  }
  nodes_.erase("/proc/self/mountinfo");
  file("/proc/self/mountinfo", std::move(table));
}

}  // namespace relab::agent
