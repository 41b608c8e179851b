#include "agent/kinds/support/places.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "agent/kinds/support/guest_files.h"
#include "agent/kinds/support/look_inside.h"
#include "agent/kinds/support/mounts.h"
#include "agent/kinds/support/tree.h"

namespace relab::agent {

namespace {

class Machine final : public Place {
 public:
  explicit Machine(Host& host) : host_(host), tree_(host, {{.path = "/", .source = "/"}}) {}

  std::string title() const override { return "this machine"; }
  std::uint32_t vmid() const override { return 0; }
  bool running() const override { return true; }
  Result<Gathered> gather(const Wanted& wanted) override { return tree_.gather(wanted); }
  Result<Output> run(std::vector<std::string> argv) override {
    return host_.run({.argv = std::move(argv)});
  }
  Result<DockerView> docker() override { return docker_here(host_); }
  Result<Path> on_host(const std::string& path) override { return tree_.resolve(path); }

 private:
  Host& host_;
  Tree tree_;
};

class StoppedContainer final : public Place {
 public:
  StoppedContainer(const PveGuest& guest, Tree tree)
      : title_(guest.title()), vmid_(guest.vmid), tree_(std::move(tree)) {}

  std::string title() const override { return title_; }
  std::uint32_t vmid() const override { return vmid_; }
  bool running() const override { return false; }
  Result<Gathered> gather(const Wanted& wanted) override { return tree_.gather(wanted); }
  Result<Output> run(std::vector<std::string>) override {
    return fail(Fault::unsupported, fmt::format("{} does not run", title_));
  }
  Result<DockerView> docker() override { return docker_left(); }
  Result<Path> on_host(const std::string& path) override { return tree_.resolve(path); }

 private:
  /// What Docker wrote down of its containers.
  Result<DockerView> docker_left() {
    RELAB_TRY(const auto disk, docker_on_disk([this](const Wanted& wanted) {
                                 return gather(wanted);
                               }).during("looking for Docker in " + title_));
    const auto found =
        tree_.gather({.contents = {disk.root + "/containers/*/config.v2.json"}, .names = {}});
    if (!found.unreadable.empty()) {
      const auto& [path, why] = *found.unreadable.begin();
      return fail(Fault::damaged, fmt::format("{} of {}: {}", path, title_, why));
    }
    if (found.contents.empty())
      return without_engine(disk, {.fault = Fault::missing, .what = "no Docker containers in it"});
    DockerView view;
    for (const auto& [path, text] : found.contents) {
      RELAB_TRY(auto container, parse_docker_config(text).during("reading " + path));
      view.containers.push_back(std::move(container));
    }
    return view;
  }

  std::string title_;
  std::uint32_t vmid_;
  Tree tree_;
};

class RunningContainer final : public Place {
 public:
  RunningContainer(Host& host, const PveGuest& guest)
      : host_(host),
        title_(guest.title()),
        vmid_(guest.vmid),
        mounts_(container_mounts(guest.config.current)) {
    std::erase_if(mounts_, [](const auto& mount) { return mount.of_device(); });
  }

  std::string title() const override { return title_; }
  std::uint32_t vmid() const override { return vmid_; }
  bool running() const override { return true; }
  Result<Gathered> gather(const Wanted& wanted) override;
  Result<Output> run(std::vector<std::string> argv) override {
    auto line = inside(vmid_);
    std::ranges::move(argv, std::back_inserter(line));
    return host_.run({.argv = std::move(line)});
  }
  Result<DockerView> docker() override;
  Result<Path> on_host(const std::string& path) override;

 private:
  /// Only where it is asked for: a volume's path takes a call of pvesm.
  Result<Tree>& tree();

  Host& host_;
  std::string title_;
  std::uint32_t vmid_;
  std::vector<GuestMount> mounts_;
  std::optional<Result<Tree>> tree_;
  std::optional<std::set<std::string>> docker_files_;
};

const std::vector<std::string>& docker_files() {
  static const std::vector<std::string> files{
      "/usr/bin/docker",         "/usr/local/bin/docker",
      "/snap/bin/docker",        "/usr/bin/dockerd",
      "/usr/sbin/dockerd",       "/usr/local/bin/dockerd",
      "/etc/docker/daemon.json", "/var/lib/docker/containers/*/config.v2.json"};
  return files;
}

bool tells_of_docker(const std::string& path) {
  return std::ranges::any_of(docker_files(),
                             [&](const auto& file) { return matches_path(path, file); });
}

/// What tells of Docker is looked for along with the first question, to save a call.
Result<Gathered> RunningContainer::gather(const Wanted& wanted) {
  if (docker_files_ || wanted.literal) return look_inside(host_, vmid_, wanted);
  auto more = wanted;
  std::ranges::copy(docker_files(), std::back_inserter(more.names));
  RELAB_TRY(auto gathered, look_inside(host_, vmid_, more));
  docker_files_.emplace();
  std::ranges::copy_if(gathered.names, std::inserter(*docker_files_, docker_files_->end()),
                       tells_of_docker);
  return gathered;
}

Result<DockerView> RunningContainer::docker() {
  if (!docker_files_)
    if (const auto looked = gather({}); !looked) return fail(looked.error());
  const auto& found = *docker_files_;
  if (found.empty()) return DockerView{.containers = {}, .absent = "no Docker in it"};
  const auto program =
      std::ranges::find_if(found, [](const auto& name) { return name.ends_with("/docker"); });
  auto line = inside(vmid_);
  line.push_back(program == found.end() ? "docker" : *program);
  auto containers = docker_containers(host_, line);
  if (containers) return DockerView{.containers = std::move(*containers)};
  const auto& error = containers.error();
  if (program != found.end() && !no_docker_engine(error)) return fail(error);
  RELAB_TRY(const auto disk, docker_on_disk([this](const Wanted& wanted) {
                               return gather(wanted);
                             }).during("looking for Docker in " + title_));
  return without_engine(disk, error);
}

Result<Tree>& RunningContainer::tree() {
  if (tree_) return *tree_;
  const auto points = mount_points(host_);
  if (!points) return tree_.emplace(fail(points.error()));
  std::vector<Mapping> mappings;
  for (const auto& mount : mounts_) {
    auto mapping = mapping_of(host_, mount, *points);
    mappings.push_back(mapping ? std::move(*mapping) : Mapping{.path = mount.path, .source = {}});
  }
  return tree_.emplace(Tree(host_, std::move(mappings)));
}

Result<Path> RunningContainer::on_host(const std::string& path) {
  auto& seen = tree();
  return seen ? seen->resolve(path) : fail(seen.error());
}

/// Null, and a gap, where it cannot be looked into.
std::unique_ptr<Place> container_of(Host& host, const PveGuest& guest, Gaps& gaps) {
  if (guest.running()) return std::make_unique<RunningContainer>(host, guest);
  // Without a state the list of guests already has a problem of its own.
  if (guest.status.empty()) {
    gaps.problem(guest.title(), "whether it runs is not known, so it was not looked into");
    return nullptr;
  }
  auto tree = tree_of(host, guest, gaps);
  if (tree) return std::make_unique<StoppedContainer>(guest, std::move(*tree));
  gaps.problem(guest.title(), tree.error());
  return nullptr;
}

void add_vm(const PveGuest& guest, bool suspect, Gaps& gaps) {
  if (suspect)
    // No problem: nothing that the operator could do would supply it, and the gate would never
    // open.
    gaps.absent(guest.title(),
                "its name says that it belongs here, but a VM cannot be looked into from its host: "
                "look yourself, and keep a backup of the whole VM");
  else
    gaps.absent(guest.title(), "a VM cannot be looked into from its host");
}

}  // namespace

Places this_machine(Host& host) {
  Places places;
  places.all.push_back(std::make_unique<Machine>(host));
  return places;
}

Places find_places(Host& host, const std::function<bool(std::string_view)>& is_suspect,
                   Gaps& gaps) {
  auto places = this_machine(host);
  auto found = read_pve_guests(host, States::of_containers, gaps);
  if (!found) {
    gaps.problem("guests", found.error());
    return places;
  }
  places.guests = std::move(found->guests);
  for (auto& container : containers_of(host, places.guests, gaps))
    places.all.push_back(std::move(container));
  for (const auto& guest : places.guests)
    if (guest.type != GuestType::lxc) add_vm(guest, is_suspect(guest.name), gaps);
  return places;
}

std::vector<std::unique_ptr<Place>> containers_of(Host& host, const std::vector<PveGuest>& guests,
                                                  Gaps& gaps) {
  std::vector<std::unique_ptr<Place>> containers;
  for (const auto& guest : guests)
    if (guest.type == GuestType::lxc)
      if (auto container = container_of(host, guest, gaps); container != nullptr)
        containers.push_back(std::move(container));
  return containers;
}

const PveGuest* guest_of(const Places& places, const Place& place) {
  const auto found = std::ranges::find(places.guests, place.vmid(), &PveGuest::vmid);
  return found == places.guests.end() ? nullptr : &*found;
}

}  // namespace relab::agent
