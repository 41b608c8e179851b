#include "agent/kinds/guests/guest.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/guests/pct.h"
#include "agent/kinds/guests/templates.h"
#include "agent/kinds/guests/wishes.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/pve_guests.h"
#include "agent/kinds/support/redact.h"
#include "common/base/number.h"

namespace relab::agent::guests {

namespace {

using Params = Guest::Params::Reader;
using Facts = Guest::Facts::Reader;

constexpr auto create_time_max = std::chrono::minutes(30);
constexpr auto set_time_max = std::chrono::minutes(5);

Result<void> check_whole(Params params) {
  const std::pair<const char*, bool> needed[] = {{"vmid", params.getVmid() != 0},
                                                 {"template", params.getTemplate().size() != 0},
                                                 {"storage", params.getStorage().size() != 0},
                                                 {"disk", params.getDisk() != 0},
                                                 {"cores", params.getCores() != 0},
                                                 {"memory", params.getMemory() != 0},
                                                 {"bridge", params.getBridge().size() != 0},
                                                 {"tag", params.getTag() != 0},
                                                 {"address", params.getAddress().size() != 0}};
  for (const auto& [name, given] : needed)
    if (!given)
      return fail(Fault::invalid,
                  fmt::format("the task tells no {} of '{}'", name, str(params.getName())),
                  "it comes from [[guests]] of lab.toml; only containers can be made");
  return {};
}

void set_settings(Guest::Facts::Builder facts, const Settings& settings) {
  fill(facts.initSettings(size_of(settings)), settings, [](auto setting, const auto& row) {
    setting.setKey(row.first);
    // Raw lines may hold anything.
    setting.setValue(row.first.starts_with("lxc.") ? redact_all(row.second) : row.second);
  });
}

Settings settings_in(Facts facts) {
  Settings settings;
  for (const auto setting : facts.getSettings())
    settings.emplace(str(setting.getKey()), str(setting.getValue()));
  return settings;
}

std::string value_of(const Settings& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

std::string title(Params params) {
  return fmt::format("container {} ({})", params.getVmid(), str(params.getName()));
}

std::string without_those_below(Facts facts, std::string_view source) {
  for (const auto row : facts.getSources()) {
    if (view(row.getPath()) != source || row.getBelow().size() == 0) continue;
    std::vector<std::string> below;
    for (const auto path : row.getBelow()) below.push_back(str(path));
    return fmt::format(" (without {}, mounted below it: give each its own mount)",
                       fmt::join(below, ", "));
  }
  return {};
}

std::vector<Change> creation(Params params, Facts facts, const std::vector<Wish>& wishes) {
  const auto vmid = std::to_string(params.getVmid());
  Change change{
      .what = fmt::format("+ {} of {}: {} cores, {} MiB, {} GiB on {}, {} in VLAN {}",
                          title(params), str(facts.getTemplate()), params.getCores(),
                          params.getMemory() >> 20U, disk_size_of(params), str(params.getStorage()),
                          str(params.getAddress()), params.getTag()),
      .how = {"create", vmid, str(facts.getTemplate()), "--unprivileged",
              params.getPrivileged() ? "0" : "1", "--rootfs",
              fmt::format("{}:{}", str(params.getStorage()), disk_size_of(params)), "--description",
              description_of(view(params.getName()), view(params.getPurpose()))}};
  for (const auto& wish : wishes) {
    change.how.push_back("--" + wish.key);
    change.how.push_back(wish.value);
  }
  for (const auto mount : params.getMounts())
    change.what += fmt::format("; {} as {}{}", str(mount.getSource()), str(mount.getTarget()),
                               without_those_below(facts, view(mount.getSource())));
  return {std::move(change)};
}

/// What the smallest step cannot do.
Result<void> refuse_losses(Params params, Facts facts, const Settings& settings) {
  const bool is_privileged = value_of(settings, "unprivileged") != "1";
  if (is_privileged != params.getPrivileged())
    return refuse(fmt::format("{} is {}privileged, and that cannot be changed", title(params),
                              is_privileged ? "" : "un"),
                  "make a new one beside it, or correct lab.toml");
  const auto volume = Properties(value_of(settings, "rootfs"), "volume").value("volume");
  const auto storage = volume.substr(0, volume.find(':'));
  if (storage != view(params.getStorage()))
    return refuse(
        fmt::format("the root disk of {} is {}, and not on the storage '{}'", title(params),
                    volume.empty() ? "not told" : volume, str(params.getStorage())),
        fmt::format("correct `storage` in lab.toml, or move it yourself: `pct move-volume {} "
                    "rootfs {}` while it is shut down",
                    params.getVmid(), str(params.getStorage())));
  const auto memory = parse_pve_size(value_of(settings, "memory") + "M");
  if (view(facts.getStatus()) == "running" && memory && params.getMemory() < *memory)
    return refuse(
        fmt::format("{} runs with more memory: it is not taken away from what runs", title(params)),
        "shut it down first (guest_power), or correct lab.toml");
  return {};
}

Result<std::optional<Change>> growth(Params params, const Settings& settings) {
  const auto root = value_of(settings, "rootfs");
  const auto size = Properties(root, "volume").value("size");
  const auto now = parse_pve_size(size);
  if (!now)
    return refuse(fmt::format("Proxmox tells no size of the root disk of {}", title(params)),
                  fmt::format("`pct rescan --vmid {}` reads it anew", params.getVmid()));
  const auto wanted = disk_size_of(params);
  if (*now >= wanted << 30U) return std::optional<Change>();
  const auto vmid = std::to_string(params.getVmid());
  return std::optional(Change{.what = fmt::format("~ root disk: {} -> {}G", size, wanted),
                              .how = {"resize", vmid, "rootfs", fmt::format("{}G", wanted)}});
}

/// When it takes effect in what runs, as far as that is known beforehand: Proxmox sets processors,
/// memory, cards and new mounts at once. What it could not set after all is looked at afterwards.
std::string when(Facts facts, const std::string& key, const std::string& before) {
  if (view(facts.getStatus()) != "running") return {};
  const auto [name, number] = split_key(key);
  // pve-container adds devices to what runs from 6.0.4 on.
  if (name == "dev" && before.empty())
    return " (before Proxmox 9 at its next start: guest_power with `apply_waiting`)";
  const bool waits = name == "mp" || name == "dev"
                         ? !before.empty()
                         : key == "features" || key == "hostname" || key == "nameserver";
  return waits ? " (at its next start: guest_power with `apply_waiting`)" : "";
}

Change setting(Params params, Facts facts, const Settings& settings, const Wish& wish) {
  const auto before = value_of(settings, wish.key);
  const auto vmid = std::to_string(params.getVmid());
  const auto effect = when(facts, wish.key, before);
  if (wish.value.empty())
    return {.what = fmt::format("- {}: {}{}", wish.key, before, effect),
            .how = {"set", vmid, "--delete", wish.key}};
  return {.what = (before.empty() ? fmt::format("+ {}: {}", wish.key, wish.value)
                                  : fmt::format("~ {}: {} -> {}", wish.key, before, wish.value)) +
                  effect,
          .how = {"set", vmid, "--" + wish.key, wish.value}};
}

Result<void> check_owner(Params params, Facts facts) {
  if (view(facts.getLock()) == "create")
    return refuse(
        fmt::format("{} is half made: Proxmox was stopped while it made it", title(params)),
        fmt::format("if no task makes it now, remove what is there (`pct unlock {0}`, `pct "
                    "destroy {0}`), and run it again",
                    params.getVmid()));
  const auto made = str(facts.getMade());
  if (made.empty() && !params.getAdopt())
    return refuse(fmt::format("there is a container {} that relab did not make", params.getVmid()),
                  "see `pct config`; `adopt = true` lets relab change it, or choose another vmid");
  if (!made.empty() && made != view(params.getName()))
    return refuse(fmt::format("the container {} was made as '{}'", params.getVmid(), made),
                  "correct the vmid in lab.toml, or the first line of its description");
  return {};
}

/// What a person wrote there is not told in facts, and stays.
std::optional<Change> description(Params params, Facts facts) {
  const auto wanted = purpose_line(view(params.getPurpose()));
  const auto now = str(facts.getPurpose());
  std::string what;
  if (facts.getMade().size() == 0)
    what = fmt::format("~ its description says that it is relab's '{}', above what it said before",
                       str(params.getName()));
  else if (!wanted.empty() && wanted != now)
    what = now.empty() ? fmt::format("+ purpose: {}", wanted)
                       : fmt::format("~ purpose: {} -> {}", now, wanted);
  if (what.empty()) return {};
  return Change{.what = std::move(what),
                .how = {"describe", std::to_string(params.getVmid()), str(params.getName()),
                        str(params.getPurpose())}};
}

Result<std::vector<Change>> changes(Params params, Facts facts) {
  const auto settings = settings_in(facts);
  RELAB_CHECK(check_owner(params, facts));
  RELAB_CHECK(refuse_losses(params, facts, settings));
  RELAB_TRY(const auto wishes, wishes_for(params, settings));
  RELAB_TRY(auto grown, growth(params, settings));
  std::vector<Change> changes;
  if (auto change = description(params, facts)) changes.push_back(std::move(*change));
  for (const auto& wish : wishes) changes.push_back(setting(params, facts, settings, wish));
  if (grown) changes.push_back(std::move(*grown));
  return changes;
}

/// Cards besides the first one are a person's, and stay as they are: of those that are kept to no
/// VLAN a note tells.
std::vector<std::string> untagged_notes(Params params, Facts facts) {
  std::vector<std::string> notes;
  for (const auto& [key, text] : settings_in(facts)) {
    const auto [name, number] = split_key(key);
    const Properties card(text, "");
    const bool is_kept = !card.value("tag").empty() || !card.value("trunks").empty();
    if (name != "net" || key == "net0" || !number || is_kept) continue;
    notes.push_back(
        fmt::format("{} of {} has no VLAN tag: where {} knows VLANs, it can join every one", key,
                    title(params), card.value("bridge")));
  }
  return notes;
}

/// Reads what is there now, so that nothing of it is lost.
Result<void> describe(const Change& change, Host& host) {
  RELAB_TRY(const auto vmid, parse_number<std::uint32_t>(change.how[1]));
  RELAB_TRY(const auto found, read_pve_guest(host, vmid));
  if (!found) return fail(Fault::missing, fmt::format("there is no container {} any more", vmid));
  return pct(host,
             {"set", change.how[1], "--description",
              description_of(change.how[2], change.how[3], found->config.current.description)},
             set_time_max);
}

}  // namespace

Result<Message<Guest::Facts>> Guest::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_whole(params));
  RELAB_TRY(const auto found, read_pve_guest(host, params.getVmid()));
  Draft<Facts> facts;
  RELAB_CHECK(
      look_at_sources(host, params.getMounts(), facts->initSources(params.getMounts().size())));
  if (!found) {
    RELAB_TRY(const auto templates, templates_on(host, str(params.getTemplateStorage())));
    if (const auto best = newest(templates, view(params.getTemplate())))
      facts->setTemplate(best->volid);
    return std::move(facts).finish();
  }
  facts->setKind(std::string(name(found->type)));
  facts->setStatus(found->status);
  facts->setLock(found->config.current.value("lock"));
  facts->setMade(made_as(found->config));
  facts->setPurpose(purpose_of(found->config));
  set_settings(*facts, settings_of(found->config));
  const auto waiting = waiting_of(found->config);
  set_texts(facts->initWaiting(size_of(waiting)), waiting);
  return std::move(facts).finish();
}

Result<std::vector<Change>> Guest::plan(Params::Reader params, Facts::Reader facts) {
  if (auto concern = source_concern(params.getMounts(), facts.getSources()); !concern.empty())
    return refuse(std::move(concern), "mount it first, and run it again");
  if (view(facts.getKind()) == "qemu")
    return refuse(fmt::format("{} is a virtual machine", params.getVmid()),
                  "choose another vmid in lab.toml");
  if (facts.getKind().size() != 0) return changes(params, facts);
  if (facts.getTemplate().size() == 0)
    return refuse(fmt::format("there is no template '{}*' on the storage '{}'",
                              str(params.getTemplate()), str(params.getTemplateStorage())),
                  "give the plan a step `guest_template` before this one");
  RELAB_TRY(const auto wishes, wishes_for(params, {}));
  return creation(params, facts, wishes);
}

std::vector<std::string> Guest::notes(Params::Reader params, Facts::Reader facts) {
  auto notes = untagged_notes(params, facts);
  if (view(facts.getStatus()) == "running")
    for (auto& note : waiting_notes(title(params), facts.getWaiting()))
      notes.push_back(std::move(note));
  return notes;
}

Result<void> Guest::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() >= 4);
  if (change.how[0] == "create") {
    // After an interruption it may be there already: whether it is as wished is looked at anyway.
    RELAB_TRY(const auto vmid, parse_number<std::uint32_t>(change.how[1]));
    RELAB_TRY(const auto found, read_pve_guest(host, vmid));
    if (found) return {};
  }
  if (change.how[0] == "describe") return describe(change, host);
  return pct(host, change.how, change.how[0] == "create" ? create_time_max : set_time_max);
}

}  // namespace relab::agent::guests
