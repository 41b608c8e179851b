#include "tests/support/sim_host.h"

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

void SimHost::file(const Path& path, std::string content) {
  file(path, std::move(content), {.type = FileType::regular, .mode = 0644});
}

void SimHost::file(const Path& path, std::string content, FileStatus status) {
  directory(path.parent_path());
  status.type = FileType::regular;
  status.size = content.size();
  nodes_[path.lexically_normal().string()] = {.status = status, .content = std::move(content)};
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
  if (command.secret_input.empty()) return answer_of(command, argv);
  const auto secret = secrets_.find(command.secret_input);
  if (secret == secrets_.end())
    return fail(Fault::missing,
                fmt::format("no secret '{}' came with the order", command.secret_input));
  auto given = command;
  given.input = secret->second;
  return answer_of(given, argv);
}

Result<Output> SimHost::answer_of(const Command& command,
                                  const std::vector<std::string>& argv) const {
  const auto line = joined(argv);
  if (const auto answer = answers_.find(line); answer != answers_.end()) return answer->second;
  if (const auto program = programs_.find(argv[0]); program != programs_.end())
    return program->second(command);
  for (const auto& [known, output] : answers_)
    if (known.starts_with(argv[0] + " ") || known == argv[0])
      return Output{.status = 2,
                    .err = fmt::format("the simulated {} has no answer to: {}\n", argv[0], line)};
  return fail(Fault::missing, fmt::format("no {} on this machine", argv[0]));
}

Result<void> SimHost::pause(Millis span, const Waiting& /*waiting*/) {
  now_ += span;
  if (!stop_ || now_ < *stop_) return {};
  return fail(Fault::cancelled, "the task was cancelled or is out of time");
}

Result<const SimHost::Node*> SimHost::find(const Path& path, bool follow) const {
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
    return &nodes_.find(walked.string())->second;
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
  for (const auto& [name, unused] : nodes_)
    if (name != "/" && Path(name).parent_path() == real)
      names.push_back(Path(name).filename().string());
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
  RELAB_TRY(const auto* node, find(path, true));
  for (const auto& [name, candidate] : nodes_)
    if (&candidate == node) return Path(name);
  return fail(Fault::missing, fmt::format("there is no {}", path.string()));
}

class SimNewFile final : public NewFile {
 public:
  SimNewFile(SimHost& host, Path path) : host_(host), path_(std::move(path)) {}
  ~SimNewFile() override {
    if (!published_) static_cast<void>(host_.remove_file(path_).has_value());
  }

  Result<void> take(ByteView piece) override {
    if (auto* room = host_.room_at(path_); room != nullptr) {
      if (room->free < piece.size())
        return fail(Fault::busy, fmt::format("the disk is full: {}", path_.string()));
      room->free -= piece.size();
    }
    host_.nodes_[path_.string()].content += text_of(piece);
    return {};
  }
  Result<void> publish(const Path& name) override {
    if (host_.nodes_.contains(name.string()))
      return fail(Fault::conflict, fmt::format("{} is there already", name.string()));
    host_.file(name, host_.nodes_[path_.string()].content, {.mode = 0600});
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
  RELAB_TRY(auto output, run(command));
  RELAB_CHECK(flow(output.out, sink));
  output.out.clear();
  return output;
}

Result<Output> SimHost::feed(const Path& path, const Command& command, Sink& also) {
  RELAB_TRY(const auto* node, find(path, true));
  auto fed = command;
  fed.input = node->content;
  RELAB_CHECK(flow(fed.input, also));
  return run(fed);
}

Result<Piped> SimHost::pipe(const Command& from, const Command& to, Sink& also) {
  RELAB_TRY(auto sent, run(from));
  RELAB_CHECK(flow(sent.out, also));
  auto fed = to;
  fed.input = std::move(sent.out);
  sent.out.clear();
  RELAB_TRY(auto received, run(fed));
  return Piped{.from = std::move(sent), .to = std::move(received)};
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
  return flow(node->content.substr(range.offset, range.size), sink);
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
  if (auto* room = room_at(path); room != nullptr) room->free += node->second.content.size();
  nodes_.erase(node);
  return {};
}

FileSystem* SimHost::room_at(const Path& path) {
  for (auto at = path; at != "/"; at = at.parent_path())
    if (const auto room = rooms_.find(at.string()); room != rooms_.end()) return &room->second;
  return nullptr;
}

Result<FileSystem> SimHost::file_system(const Path& path) {
  RELAB_TRY(const auto real, canonical(path));
  if (const auto* room = room_at(real); room != nullptr) return *room;
  return FileSystem{.size = std::uint64_t{1} << 50U, .free = std::uint64_t{1} << 50U};
}

}  // namespace relab::agent
