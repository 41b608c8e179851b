#include "agent/host/sim/sim_host.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/wire/dsse.h"

namespace relab::agent {

namespace {

constexpr int links_max = 40;

std::string joined(const std::vector<std::string>& argv) {
  return fmt::format("{}", fmt::join(argv, " "));
}

Result<void> flow(std::string_view text, Sink& sink) {
  constexpr std::size_t piece_max = 1021;
  for (auto bytes = bytes_of(text); !bytes.empty();) {
    const auto piece = bytes.first(std::min(bytes.size(), piece_max));
    RELAB_CHECK(sink.take(piece));
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

}  // namespace

SimHost::SimHost() {
  nodes_.emplace("/", Node{.status = {.type = FileType::directory, .mode = 0755}, .content = {}});
}

void SimHost::file(const Path& path, std::string content) {
  file(path, std::move(content), {.type = FileType::regular, .mode = 0644});
}

void SimHost::file(const Path& path, std::string content, FileStatus status) {
  directory(path.parent_path());
  status.type = FileType::regular;
  status.size = content.size();
  nodes_[path.lexically_normal().string()] = {
      .status = status, .content = std::move(content), .grain = 1};
}

void SimHost::directory(const Path& path) {
  const auto normal = path.lexically_normal();
  if (nodes_.contains(normal.string())) return;
  directory(normal.parent_path());
  nodes_[normal.string()] = {.status = {.type = FileType::directory, .mode = 0755}, .content = {}};
}

void SimHost::link(const Path& path, std::string target) {
  directory(path.parent_path());
  nodes_[path.lexically_normal().string()] = {.status = {.type = FileType::symlink, .mode = 0777},
                                              .content = std::move(target)};
}

void SimHost::device(const Path& path, FileStatus status) {
  directory(path.parent_path());
  nodes_[path.lexically_normal().string()] = {.status = status, .content = {}};
}

void SimHost::remove(const Path& path) { nodes_.erase(path.lexically_normal().string()); }

void SimHost::broken(const Path& path, Error error) {
  broken_.insert_or_assign(path.lexically_normal().string(), std::move(error));
}

void SimHost::program(std::string name, Program program) {
  programs_[std::move(name)] = std::move(program);
}

void SimHost::program(std::string name, Output output) {
  programs_[std::move(name)] = [output = std::move(output)](const Command&) { return output; };
}

void SimHost::answer(std::string command, Output output) {
  answers_[std::move(command)] = std::move(output);
}

Result<Output> SimHost::run(const Command& command) {
  RELAB_ASSERT(!command.argv.empty() && (command.input.empty() || command.secret_input.empty()));
  auto argv = command.argv;
  argv[0] = Path(argv[0]).filename().string();
  ran_.push_back(joined(argv));
  now_ += command_takes_;
  grain_ = 1;
  if (command.secret_input.empty()) return answer_of(command, argv);
  const auto secret = secrets_.find(command.secret_input);
  if (secret == secrets_.end())
    return fail(Fault::missing,
                fmt::format("no secret '{}' came with the order", command.secret_input));
  auto given = command;
  given.input = secret->second;
  return answer_of(given, argv);
}

Result<Output> SimHost::answer_of(const Command& command, const std::vector<std::string>& argv) {
  const auto line = joined(argv);
  if (const auto answer = answers_.find(line); answer != answers_.end()) return answer->second;
  if (const auto program = programs_.find(argv[0]); program != programs_.end())
    return program->second(command);
  for (const auto& [known, output] : answers_)
    if (known.starts_with(argv[0] + " ") || known == argv[0])
      return Output{.status = 2,
                    .err = fmt::format("the simulated {} has no answer to: {}\n", argv[0], line)};
  if (absent_ && !absent_->contains(argv[0])) return does_not_know(command);
  return fail(Fault::missing, fmt::format("no {} on this machine", argv[0]));
}

tl::unexpected<Error> SimHost::does_not_know(const Command& command) {
  const auto line = joined(command.argv);
  unknown_.insert(line);
  return fail(Fault::unsupported, "the simulation does not know the command: " + line,
              "nothing is known of how a real machine would answer");
}

void SimHost::spend(std::uint64_t bytes, std::uint64_t each_second) {
  if (each_second == 0) return;
  owed_ += 1000.0 * static_cast<double>(bytes) / static_cast<double>(each_second);
  const auto whole = static_cast<std::int64_t>(owed_);
  owed_ -= static_cast<double>(whole);
  now_ += Millis(whole);
}

void SimHost::progress(const Advance& advance) {
  advances_.push_back(advance);
  if (advance.unit == "bytes") advances_.back().done *= grain_;
}

Result<void> SimHost::pause(Millis span, const Waiting& /*waiting*/) {
  now_ += span;
  if (!stop_ || now_ < *stop_) return {};
  return fail(Fault::cancelled, "the task was cancelled or is out of time");
}

Result<const SimHost::Node*> SimHost::find(const Path& path, bool follow) const {
  RELAB_TRY(const auto* found, resolve(path, follow));
  return &found->second;
}

Result<const SimHost::Nodes::value_type*> SimHost::resolve(const Path& path, bool follow) const {
  Path at = path.lexically_normal();
  for (int hops = 0; hops < links_max; ++hops) {
    // Links in the middle of the path are followed always, the last one if asked.
    Path walked = "/";
    bool restarted = false;
    for (auto part = at.begin(); part != at.end(); ++part) {
      if (part->string() == "/" || part->empty()) continue;
      walked /= *part;
      const auto node = nodes_.find(walked.string());
      if (node == nodes_.end())
        return fail(Fault::missing, fmt::format("there is no {}", path.string()));
      const bool last = std::next(part) == at.end();
      if (node->second.status.type != FileType::symlink || (last && !follow)) continue;
      Path rest;
      for (auto tail = std::next(part); tail != at.end(); ++tail) rest /= *tail;
      at = (walked.parent_path() / node->second.content / rest).lexically_normal();
      if (at.has_filename() == false && at != "/") at = at.parent_path();
      restarted = true;
      break;
    }
    if (restarted) continue;
    if (const auto error = broken_.find(at.string()); error != broken_.end())
      return fail(error->second);
    return &*nodes_.find(walked.string());
  }
  return fail(Fault::invalid,
              fmt::format("{} has too many levels of symbolic links", path.string()));
}

Result<std::string> SimHost::read_file(const Path& path, std::size_t size_max) {
  if (const auto error = broken_.find(path.lexically_normal().string()); error != broken_.end())
    return fail(error->second);
  RELAB_TRY(const auto* node, find(path, true));
  if (node->status.type == FileType::directory)
    return fail(Fault::invalid, fmt::format("{} is a directory", path.string()));
  if (node->content.size() > size_max)
    return fail(Fault::invalid, fmt::format("{} has more than {} bytes", path.string(), size_max));
  return node->content;
}

Result<std::vector<std::string>> SimHost::list(const Path& path) {
  if (const auto error = broken_.find(path.lexically_normal().string()); error != broken_.end())
    return fail(error->second);
  RELAB_TRY(const auto real, canonical(path));
  RELAB_TRY(const auto* node, find(real, true));
  if (node->status.type != FileType::directory)
    return fail(Fault::invalid, fmt::format("{} is not a directory", path.string()));
  std::vector<std::string> names;
  const auto above = real == "/" ? std::string("/") : real.string() + "/";
  for (auto at = nodes_.upper_bound(above); at != nodes_.end() && at->first.starts_with(above);) {
    const auto name =
        at->first.substr(above.size(), at->first.find('/', above.size()) - above.size());
    names.push_back(name);
    // Past all that lies below it: '0' comes after '/'.
    const auto whole = above + name;
    at = nodes_.upper_bound(whole);
    if (at != nodes_.end() && at->first.starts_with(whole + "/"))
      at = nodes_.lower_bound(whole + "0");
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

Result<FileStatus> SimHost::status(const Path& path) {
  if (const auto error = broken_.find(path.lexically_normal().string()); error != broken_.end())
    return fail(error->second);
  RELAB_TRY(const auto* node, find(path, false));
  return node->status;
}

Result<std::string> SimHost::read_link(const Path& path) {
  RELAB_TRY(const auto* node, find(path, false));
  if (node->status.type != FileType::symlink)
    return fail(Fault::invalid, fmt::format("{} is not a symbolic link", path.string()));
  return node->content;
}

Result<Path> SimHost::canonical(const Path& path) {
  RELAB_TRY(const auto* found, resolve(path, true));
  return Path(found->first);
}

class SimNewFile final : public NewFile {
 public:
  SimNewFile(SimHost& host, Path path) : host_(host), path_(std::move(path)) {}
  ~SimNewFile() override {
    if (!published_) static_cast<void>(host_.remove_file(path_).has_value());
  }

  Result<void> take(ByteView piece) override {
    const auto bytes = piece.size() * host_.grain_;
    if (auto* room = host_.room_at(path_); room != nullptr) {
      if (room->free < bytes)
        return fail(Fault::busy, fmt::format("the disk is full: {}", path_.string()));
      room->free -= bytes;
    }
    host_.spend(bytes, host_.speed_at(path_).write);
    auto& node = host_.nodes_[path_.string()];
    node.content += text_of(piece);
    node.status.size = node.content.size();
    node.grain = std::max(node.grain, host_.grain_);
    return {};
  }
  Result<void> publish(const Path& name) override {
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

Result<Output> SimHost::stream(const Command& command, Sink& sink) {
  const auto began = now_;
  RELAB_TRY(auto output, run(command));
  const auto flown = flow_on(began, output.out, sink);
  grain_ = 1;
  RELAB_CHECK(flown);
  output.out.clear();
  return output;
}

Result<void> SimHost::flow_on(Instant began, std::string_view text, Sink& sink) {
  const auto from = now_;
  now_ = began;
  const auto flown = flow(text, sink);
  now_ = std::max(now_, from);
  return flown;
}

Result<Output> SimHost::feed(const Path& path, const Command& command, Sink& also) {
  RELAB_TRY(const auto* found, resolve(path, true));
  auto fed = command;
  fed.input = found->second.content;
  const auto grain = found->second.grain;
  const auto began = now_;
  spend(fed.input.size() * grain, speed_at(found->first).read);
  grain_ = grain;
  const auto flown = flow_on(began, fed.input, also);
  grain_ = 1;
  RELAB_CHECK(flown);
  const auto read = now_;
  now_ = began;
  auto output = run(fed);
  now_ = std::max(now_, read);
  return output;
}

Result<Piped> SimHost::pipe(const Command& from, const Command& to, Sink& also) {
  const auto began = now_;
  RELAB_TRY(auto sent, run(from));
  const auto flown = flow_on(began, sent.out, also);
  grain_ = 1;
  RELAB_CHECK(flown);
  auto fed = to;
  fed.input = std::move(sent.out);
  sent.out.clear();
  const auto over = now_;
  now_ = began;
  auto received = run(fed);
  now_ = std::max(now_, over);
  RELAB_CHECK(received);
  return Piped{.from = std::move(sent), .to = *std::move(received)};
}

Result<std::unique_ptr<NewFile>> SimHost::create_file(const Path& path) {
  if (const auto error = broken_.find(path.string()); error != broken_.end())
    return fail(error->second);
  if (!nodes_.contains(path.parent_path().string()))
    return fail(Fault::missing, fmt::format("there is no {}", path.string()));
  if (nodes_.contains(path.string()))
    return fail(Fault::conflict, fmt::format("{} is there already", path.string()));
  file(path, {}, {.mode = 0600});
  return std::make_unique<SimNewFile>(*this, path);
}

Result<void> SimHost::read_through(const Path& path, const Range& range, Sink& sink) {
  RELAB_TRY(const auto* node, find(path, true));
  if (node->status.type != FileType::regular && node->status.type != FileType::block)
    return fail(Fault::invalid, fmt::format("{} is neither a file nor a disk", path.string()));
  if (range.offset >= node->content.size()) return {};
  const auto part = std::string_view(node->content).substr(range.offset, range.size);
  RELAB_TRY(const auto real, canonical(path));
  spend(part.size() * node->grain, speed_at(real).read);
  grain_ = node->grain;
  auto flown = flow(std::string(part), sink);
  grain_ = 1;
  return flown;
}

void SimHost::forget_answers(const std::string& name) {
  std::erase_if(answers_, [&](const auto& known) { return known.first.starts_with(name + " "); });
}

Result<void> SimHost::copy_database(const Path& database, const Path& copy) {
  RELAB_TRY(const auto* node, find(database, true));
  if (nodes_.contains(copy.string()))
    return fail(Fault::conflict, fmt::format("{} is there already", copy.string()));
  file(copy, node->content, node->status);
  return {};
}

Result<std::string> SimHost::sign(std::string_view payload_type, std::string_view text) {
  RELAB_TRY(const auto keys, crypto::Keys::from(Bytes(crypto::Keys::secret_size, 7)));
  return to_dsse(sign_payload(keys, payload_type, bytes_of(text)).reader()).dump() + "\n";
}

void SimHost::deliver(Delivery delivery, std::map<std::string, std::string> contents) {
  delivery_ = std::move(delivery);
  parcels_ = std::move(contents);
}

Result<Delivery> SimHost::delivery() {
  if (delivery_) return *delivery_;
  return fail(Fault::missing, "nothing came with the order to be handed on");
}

Result<Path> SimHost::fetch(const Parcel& parcel) {
  const auto content = parcels_.find(parcel.name);
  if (content == parcels_.end())
    return fail(Fault::missing, "the controller cannot send " + parcel.name);
  const auto path = Path("/var/lib/relab-agent/parcels") / parcel.sha256;
  file(path, content->second);
  return path;
}

Result<std::string> SimHost::ledger_head() {
  if (head_.empty()) return fail(Fault::missing, "the controller has shown no head of its ledger");
  return head_;
}

Result<void> SimHost::check_folder(const Path& path) const {
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
  if (auto* room = room_at(path); room != nullptr) {
    // The old one is there until the new one is whole.
    if (room->free < text.size())
      return fail(Fault::busy, fmt::format("the disk is full: {}", path.string()));
    room->free -= text.size();
    if (there) room->free += node->second.content.size();
  }
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
  directory(path);
  auto& status = nodes_[path.string()].status;
  status.mode = rights.mode;
  status.uid = rights.uid;
  status.gid = rights.gid;
  return {};
}

Result<Reached> SimHost::connect(const Endpoint& endpoint, Millis timeout) {
  auto found = reaches_.find(fmt::format("{} {}", endpoint.address, endpoint.port));
  if (found == reaches_.end()) found = reaches_.find(endpoint.address);
  if (found == reaches_.end()) return Reached{.reach = Reach::no_network, .words = "no network"};
  if (found->second == Reach::silent) now_ += timeout;
  return Reached{.reach = found->second, .words = "as simulated"};
}

Result<std::vector<std::string>> SimHost::listed_command(const std::string& name) {
  if (const auto found = commands_.find(name); found != commands_.end()) return found->second;
  return fail(Fault::refused, fmt::format("no role of this agent lists the command '{}'", name));
}

Result<void> SimHost::remove_file(const Path& path) {
  const auto node = nodes_.find(path.string());
  if (node == nodes_.end()) return {};
  if (node->second.status.type == FileType::directory)
    return fail(Fault::invalid, fmt::format("{} is no file", path.string()));
  if (auto* room = room_at(path); room != nullptr)
    room->free += node->second.content.size() * node->second.grain;
  nodes_.erase(node);
  return {};
}

namespace {

/// Of what is known by points of the tree, what holds for this path.
template <class Known>
auto nearest(Known& known, const Path& path) {
  for (auto at = path;; at = at.parent_path()) {
    const auto found = known.find(at.string());
    if (found != known.end() || at == at.parent_path()) return found;
  }
}

}  // namespace

FileSystem* SimHost::room_at(const Path& path) {
  const auto room = nearest(rooms_, path);
  return room == rooms_.end() ? nullptr : &room->second;
}

SimSpeed SimHost::speed_at(const Path& path) const {
  const auto speed = nearest(speeds_, path);
  return speed == speeds_.end() ? SimSpeed{} : speed->second;
}

std::uint64_t SimHost::grain_of(const Path& path) const {
  const auto found = resolve(path, true);
  return found ? (*found)->second.grain : 1;
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

Result<void> SimHost::unmount(const Path& wanted) {
  const auto point = wanted.lexically_normal();
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
  unsigned id = 20;
  for (const auto& mount : mounts_) {
    ++id;
    table += fmt::format("{} 1 0:{} {} {} {} shared:{} - {} {} {}\n", id, id, mount.root,
                         mount.point.string(), mount.options, id, mount.type, mount.source,
                         mount.options.starts_with("ro") ? "ro" : "rw");
  }
  nodes_.erase("/proc/self/mountinfo");
  file("/proc/self/mountinfo", std::move(table));
}

Result<FileSystem> SimHost::file_system(const Path& path) {
  RELAB_TRY(const auto real, canonical(path));
  if (const auto* room = room_at(real); room != nullptr) return *room;
  return FileSystem{.size = std::uint64_t{1} << 50U, .free = std::uint64_t{1} << 50U};
}

}  // namespace relab::agent
