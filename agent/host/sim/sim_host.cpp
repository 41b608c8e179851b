#include "agent/host/sim/sim_host.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/wire/dsse.h"

namespace relab::agent {

namespace {

constexpr int links_max = 40;

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
  if (status.changed == Instant()) status.changed = status.modified;
  nodes_[path.lexically_normal().string()] = {
      .status = status, .content = std::move(content), .grain = 1};
}

void SimHost::directory(const Path& path) {
  const auto normal = path.lexically_normal();
  if (nodes_.contains(normal.string())) return;
  directory(normal.parent_path());
  nodes_[normal.string()] = {.status = {.type = FileType::directory, .mode = 0755}, .content = {}};
}

void SimHost::directory(const Path& path, FileStatus status) {
  directory(path);
  status.type = FileType::directory;
  nodes_[path.lexically_normal().string()].status = status;
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

void SimHost::spend(std::uint64_t bytes, std::uint64_t each_second) {
  if (each_second == 0) return;
  owed_ += 1000.0 * static_cast<double>(bytes) / static_cast<double>(each_second);
  const auto whole = static_cast<std::int64_t>(owed_);
  owed_ -= static_cast<double>(whole);
  now_ += Millis(whole);
}

void SimHost::progress(const Advance& advance) {
  advances_.push_back(advance);
  if (advance.unit != "bytes") return;
  auto& told = advances_.back();
  // Streams one behind the other may each stand for something else.
  const bool goes_on = advance.total == last_.total && advance.done >= last_.done;
  real_ = goes_on ? real_ + (advance.done - last_.done) * grain_ : advance.done * grain_;
  last_ = advance;
  told.done = real_;
  if (advance.total == read_size_) told.total *= grain_;
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
      if (!at.has_filename() && at != "/") at = at.parent_path();
      restarted = true;
      break;
    }
    if (restarted) continue;
    if (const auto error = broken_.find(at.string()); error != broken_.end())
      return fail(error->second);
    RELAB_CHECK(check_unbroken(at));
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
  names.erase(std::unique(names.begin(), names.end()), names.end());
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

Result<Reached> SimHost::connect(const Endpoint& endpoint, Millis timeout) {
  auto found = reaches_.find(fmt::format("{} {}", endpoint.address, endpoint.port));
  if (found == reaches_.end()) found = reaches_.find(endpoint.address);
  if (found == reaches_.end() && network_) {
    const auto reached = network_(endpoint);
    if (!reached)
      return does_not_know(
          {.argv = {"connect", endpoint.address, std::to_string(endpoint.port)}, .input = {}});
    if (reached->reach == Reach::silent) now_ += timeout;
    return *reached;
  }
  if (found == reaches_.end()) return Reached{.reach = Reach::no_network, .words = "no network"};
  if (found->second == Reach::silent) now_ += timeout;
  return Reached{.reach = found->second, .words = "as simulated"};
}

Result<std::vector<std::string>> SimHost::listed_command(const std::string& name) {
  if (const auto found = commands_.find(name); found != commands_.end()) return found->second;
  return fail(Fault::refused, fmt::format("no role of this agent lists the command '{}'", name));
}

}  // namespace relab::agent
