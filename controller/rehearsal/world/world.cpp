#include "controller/rehearsal/world/world.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/file.h"
#include "common/base/text.h"
#include "controller/adopt/adopt.h"
#include "controller/rehearsal/world/checks.h"
#include "controller/rehearsal/world/described.h"

namespace relab::rehearsal {

namespace {

using schema::World;

constexpr std::uint32_t format = 1;

/// Containers of the plan are made from what Proxmox offers of these names.
void offer_templates(schema::Lab::Reader lab, World::Builder world) {
  std::set<std::string> names;
  for (const auto guest : lab.getGuests())
    if (guest.getTemplate().size() != 0)
      names.insert(fmt::format("{}_12.12-1_amd64.tar.zst", str(guest.getTemplate())));
  auto list = world.initTemplates(static_cast<unsigned>(names.size()));
  unsigned i = 0;
  for (const auto& name : names) list.set(i++, name);
}

void set_head(schema::Lab::Host::Reader host, Instant began, World::Builder world) {
  world.setFormat(format);
  world.setHost(host.getName());
  const auto name = str(host.getName());
  world.setMachineId(
      fmt::format("{:016x}{:016x}", number_of("machine " + name), number_of(name + " machine")));
  world.setBegan(unix_millis(began));
}

struct Kept {
  std::uint32_t vmid;
  std::string path;
};

/// Folders that hold something, by what is known: those of datasets, those that [[keep]] names, and
/// those of services.
std::vector<Kept> folders_of(schema::Lab::Reader lab, World::Reader world) {
  std::vector<Kept> folders;
  for (const auto dataset : world.getZfs().getDatasets())
    if (dataset.getMounted() && view(dataset.getMountpoint()).size() > 1)
      folders.push_back({0, str(dataset.getMountpoint())});
  for (const auto keep : lab.getKeep())
    if (!keep.getLose()) folders.push_back({keep.getVmid(), str(keep.getPath())});
  for (const auto guest : lab.getGuests())
    for (const auto service : guest.getServices())
      if (service.getPath().size() != 0 && !service.getPlanned() && !guest.getPlanned())
        folders.push_back({guest.getVmid(), str(service.getPath())});
  return folders;
}

/// A file in each folder stands for what it holds.
void fill_folders(schema::Lab::Reader lab, World::Builder world) {
  const auto folders = folders_of(lab, world.asReader());
  auto files = world.initFiles(static_cast<unsigned>(folders.size()));
  for (unsigned i = 0; i < files.size(); ++i) {
    files[i].setVmid(folders[i].vmid);
    files[i].setPath(folders[i].path + "/rehearsal");
    files[i].setText("What is in this folder is not known to the rehearsal.\n");
  }
}

constexpr auto small_folders =
    "one small file stands for what each dataset and each folder of a service holds";

void write_texts(capnp::List<capnp::Text>::Builder list, const std::vector<std::string>& texts) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, texts[i]);
}

/// Fault::invalid with the place from which on it is none: a person has edited it.
Result<void> check_json(std::string_view text, const std::filesystem::path& file) {
  try {
    [[maybe_unused]] const auto parsed = nlohmann::json::parse(text);
    return {};
  } catch (const nlohmann::json::parse_error& error) {
    const auto read = text.substr(0, error.byte == 0 ? 0 : error.byte - 1);
    const auto line_begin = read.rfind('\n') + 1;
    return fail(Fault::invalid,
                fmt::format("{} is no JSON from line {}, column {} on", file.string(),
                            std::ranges::count(read, '\n') + 1, read.size() - line_begin + 1),
                "look there for what is missing or too much");
  }
}

}  // namespace

Message<World> world_of_lab(schema::Lab::Reader lab, schema::Lab::Host::Reader host,
                            Instant began) {
  Described described(lab, host, began);
  Draft<World> world;
  set_head(host, began, *world);
  describe_storage(described, *world);
  describe_guests(described, *world);
  describe_services(described, *world);
  describe_machine(described, *world);
  describe_network(described, *world);
  offer_templates(lab, *world);
  fill_folders(lab, *world);
  auto assumptions = described.assumptions;
  assumptions.emplace_back(small_folders);
  assumptions.emplace_back("the machine is as lab.toml describes it, under Proxmox VE 8.4");
  write_texts(world->initAssumptions(static_cast<unsigned>(assumptions.size())), assumptions);
  return std::move(world).finish();
}

Result<Message<World>> world_of_audit(const controller::State& state, schema::Lab::Reader lab,
                                      schema::Lab::Host::Reader host, const AuditChoice& choice) {
  const auto name = str(host.getName());
  std::optional<RunId> run;
  if (!choice.run.empty()) {
    RELAB_TRY(const auto bytes, parse_uuid(choice.run).during("reading the name of a run"));
    run = RunId{bytes};
  }
  const auto audit = controller::audit_of(state, name, run);
  if (!audit.unread.empty())
    return fail(Fault::missing,
                fmt::format("the audit of {} is not complete: nobody has read {}", name,
                            fmt::join(audit.unread, ", ")),
                "run the phase with the audit first, or rehearse what lab.toml describes with "
                "`relab rehearse --described`");
  Draft<World> world;
  set_head(host, choice.began, *world);
  world->setZfs(*audit.zfs);
  world->setDisks(*audit.disks);
  world->setGuests(*audit.guests);
  world->setArr(*audit.arr);
  world->setJellyfin(*audit.jellyfin);
  world->setPbs(*audit.pbs);
  world->setNetwork(*audit.network);
  world->setSchedules(*audit.schedules);
  world->setServices(*audit.services);
  world->setPci(*audit.pci);
  world->setPackages(*audit.packages);
  offer_templates(lab, *world);
  fill_folders(lab, *world);
  auto assumptions = add_unplugged(Described(lab, host, choice.began), *world);
  assumptions.emplace_back(small_folders);
  write_texts(world->initAssumptions(static_cast<unsigned>(assumptions.size())), assumptions);
  return std::move(world).finish();
}

Result<Message<World>> load_world(const std::filesystem::path& file, schema::Lab::Reader lab) {
  RELAB_TRY(const auto text, read_small_file(file, message_size_max));
  RELAB_CHECK(check_json(text, file));
  RELAB_TRY(auto world, Message<World>::from_json(text).during("reading " + file.string()));
  if (world.reader().getFormat() != format)
    return fail(Fault::unsupported, fmt::format("{} is of format {}, this is relab for format {}",
                                                file.string(), world.reader().getFormat(), format));
  const auto host = str(world.reader().getHost());
  if (!any_in(lab.getHosts(), [&](auto known) { return view(known.getName()) == host; }))
    return fail(Fault::conflict, fmt::format("{} is the world of '{}', which is no host of the lab",
                                             file.string(), host));
  if (const auto why = impossible(world.reader()); !why.empty())
    return fail(Fault::invalid, fmt::format("{}: {}", file.string(), why));
  return world;
}

Result<void> save_world(const World::Reader& world, const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored))
    return fail(Fault::conflict, file.string() + " is there already",
                "take another name, or remove it");
  return replace_file(file, Draft<World>(world).finish().to_json() + "\n");
}

}  // namespace relab::rehearsal
