#include "agent/kinds/guests/agent_install.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/guests/agent_inside.h"
#include "agent/kinds/guests/guest_packages.h"
#include "agent/kinds/guests/pct.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/pve_guests.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "common/crypto/identity.h"
#include "common/wire/dsse.h"

namespace relab::agent::guests {

namespace {

using std::chrono::seconds;
using Params = schema::AgentInstall;
using Facts = schema::AgentInstall::Facts;
using Package = schema::AgentInstall::Package;

constexpr auto command_time_max = seconds(120);

/// It obeys the controller from now on. The agent makes its keys if it has none.
constexpr std::string_view plant_script = R"sh(
set -eu
relab-agent plant --name "$1" --lab "$2" --controller "$3" >/dev/null
)sh";

/// Anew, where one runs already: its keys or its controller may be new.
constexpr std::string_view start_script = R"sh(
set -eu
systemctl enable --quiet relab-agent
systemctl reset-failed relab-agent 2>/dev/null || true
systemctl restart relab-agent
)sh";

/// The newest by its file's name is not asked for: a folder has one of each.
Result<std::string> offered(const std::vector<Parcel>& parcels, const std::string& name) {
  std::string version;
  for (const auto& parcel : parcels) {
    RELAB_TRY(const auto package, package_name(parcel));
    if (package.name != name) continue;
    if (!version.empty() && version != package.version)
      return fail(Fault::conflict,
                  fmt::format("the order brings {} {} and {}", name, version, package.version),
                  "leave one of them in the folder of packages");
    version = package.version;
  }
  return version;
}

/// Whether files of it are there: it is neither gone nor only its configuration left.
bool has_files(const AgentInside::Package& package) {
  return package.status.size() > 1 && package.status[1] != 'n' && package.status[1] != 'c';
}

/// The agent, the role that is wanted, and others that are there.
std::vector<std::string> names_of(const AgentInside& found, const std::string& role) {
  std::vector<std::string> names = {"relab-agent", package_of(role)};
  for (const auto& package : found.packages)
    if (has_files(package) && std::ranges::find(names, package.name) == names.end())
      names.push_back(package.name);
  return names;
}

Result<void> store_packages(const AgentInside& found, const Delivery& delivery,
                            const std::string& role, Facts::Builder facts) {
  const auto parcels = parcels_for(delivery.parcels, found.suite);
  const auto names = names_of(found, role);
  auto rows = facts.initPackages(size_of(names));
  for (unsigned i = 0; i < rows.size(); ++i) {
    rows[i].setName(names[i]);
    RELAB_TRY(const auto version, offered(parcels, names[i]));
    rows[i].setOffered(version);
    const auto package = std::ranges::find(found.packages, names[i], &AgentInside::Package::name);
    if (package == found.packages.end()) continue;
    rows[i].setStatus(package->status);
    rows[i].setInstalled(package->version);
  }
  return {};
}

void store_agent(const AgentInside& found, Facts::Builder facts) {
  facts.setSuite(found.suite);
  facts.setLab(found.lab);
  facts.setEnabled(found.enabled);
  facts.setActive(found.active);
  facts.setIdentity(blob(found.identity));
  auto controllers = facts.initControllers(size_of(found.controllers));
  for (unsigned i = 0; i < controllers.size(); ++i) controllers.set(i, found.controllers[i]);
}

/// Neither the agent nor the role that is wanted: what it permits would be added to that.
bool is_other_role(Params::Reader params, Package::Reader package) {
  return view(package.getName()) != "relab-agent" &&
         view(package.getName()) != package_of(view(params.getRole()));
}

bool is_there(Package::Reader package) {
  // On hold is there, too.
  return (view(package.getStatus()) == "ii" || view(package.getStatus()) == "hi") &&
         (package.getOffered().size() == 0 ||
          view(package.getOffered()) == view(package.getInstalled()));
}

std::string title_of(Params::Reader params) {
  return fmt::format("container {} ({})", params.getVmid(), str(params.getName()));
}

/// Why the agent that is in the container cannot be the one that is wanted; empty: it can.
Result<void> check_identity(Params::Reader params, Facts::Reader facts) {
  const bool known = facts.getExpected().size() != 0;
  if (facts.getIdentity().size() == 0) {
    if (!known) return {};
    return refuse(fmt::format("the controller knows an agent '{0}', and {1} has none that it could "
                              "be",
                              str(params.getName()), title_of(params)),
                  fmt::format("if the container was made anew: relab agents remove {}",
                              str(params.getName())));
  }
  RELAB_TRY(const auto party, read_identity(view(facts.getIdentity()), schema::Role::AGENT)
                                  .during("reading who the agent is"));
  if (!known || crypto::equal(party.sign_key, view(facts.getExpected()))) return {};
  return refuse(
      fmt::format("the agent in {} has another key than the agent '{}' that the "
                  "controller knows: {}",
                  title_of(params), str(params.getName()), crypto::fingerprint(party.sign_key)),
      fmt::format("find out why; if the container was made anew: relab agents remove {}",
                  str(params.getName())));
}

/// Of whatever is called otherwise relab makes no agent of its own.
Result<void> check_owner(Params::Reader params, const PveGuest& guest) {
  const auto name = str(params.getName());
  const auto host_name = guest.config.current.value("hostname");
  if (made_as(guest.config) == name || host_name == name) return {};
  return refuse(fmt::format("container {} is called '{}', and relab did not make it as '{}'",
                            params.getVmid(), host_name, name),
                "is its number right in [[guests]]?");
}

Result<void> check_lab(Params::Reader params, const AgentInside& found, const Delivery& delivery) {
  if (found.lab.empty() || found.lab == delivery.lab) return {};
  return refuse(fmt::format("the agent in {} belongs to the lab '{}', and this is '{}'",
                            title_of(params), found.lab, delivery.lab),
                "if it is to change over: `relab-agent distrust` there first");
}

Result<bool> obeys(Params::Reader params, Facts::Reader facts) {
  const auto controller = view(facts.getController());
  if (any_in(facts.getControllers(), [&](auto known) { return view(known) == controller; }))
    return true;
  if (facts.getControllers().size() == 0) return false;
  return refuse(fmt::format("the agent in {} obeys another controller ({}) of the lab '{}'",
                            title_of(params), str(facts.getControllers()[0]), str(facts.getLab())),
                "if it is to obey this one: `relab-agent distrust` there first");
}

Result<void> check_container(Params::Reader params, Facts::Reader facts) {
  if (view(facts.getKind()) != "lxc")
    return refuse(fmt::format("there is no container {} on this host", params.getVmid()),
                  "give the plan a step `guest` before this one");
  if (view(facts.getStatus()) != "running")
    return refuse(fmt::format("{} does not run", title_of(params)),
                  "give the plan a step `guest_power` before this one");
  return {};
}

Result<std::optional<Change>> installation(Params::Reader params, Facts::Reader facts) {
  const auto packages = facts.getPackages();
  if (!any_in(packages,
              [&](auto package) { return !is_other_role(params, package) && !is_there(package); }))
    return std::optional<Change>();
  Change change{.what = "+ in " + title_of(params) + ":",
                .how = {"install", std::to_string(params.getVmid()), str(facts.getSuite()),
                        std::to_string(params.getPatience())}};
  for (const auto package : packages) {
    const auto name = str(package.getName());
    if (is_other_role(params, package)) continue;
    if (package.getOffered().size() == 0)
      return fail(Fault::missing, fmt::format("the order brings no package {}", name),
                  "put it into the folder of packages, and run the step again");
    change.what += fmt::format(" {} {}", name, str(package.getOffered()));
    change.how.push_back(fmt::format("{}={}", name, str(package.getOffered())));
  }
  return std::optional(std::move(change));
}

/// Before anything is installed: an old role stands in the way of a new agent.
std::optional<Change> removal(Params::Reader params, Facts::Reader facts) {
  Change change{
      .what = "- in " + title_of(params) + ":",
      .how = {"remove", std::to_string(params.getVmid()), std::to_string(params.getPatience())}};
  const auto fixed = change.how.size();
  for (const auto package : facts.getPackages()) {
    if (!is_other_role(params, package)) continue;
    change.what += fmt::format(" {} {}", str(package.getName()), str(package.getInstalled()));
    change.how.push_back(str(package.getName()));
  }
  if (change.how.size() == fixed) return {};
  change.what += ", which would permit more than the role " + str(params.getRole());
  return change;
}

Result<void> remove(const Change& change, Host& host, std::uint32_t vmid) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() > 3);
  RELAB_TRY(const auto patience, parse_number<std::uint32_t>(how[2]));
  return remove_inside(host, vmid, {how.begin() + 3, how.end()}, seconds(patience));
}

Result<void> install(const Change& change, Host& host, std::uint32_t vmid) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() > 4);
  RELAB_TRY(const auto patience, parse_number<std::uint32_t>(how[3]));
  RELAB_TRY(const auto delivery, host.delivery());
  return install_inside(host, {.vmid = vmid,
                               .items = {how.begin() + 4, how.end()},
                               .parcels = parcels_for(delivery.parcels, how[2]),
                               .patience = seconds(patience)});
}

Result<void> plant(const Change& change, Host& host, std::uint32_t vmid) {
  RELAB_ASSERT(change.how.size() == 3);
  RELAB_TRY(const auto delivery, host.delivery());
  RELAB_TRY(const auto said, run_inside(host, vmid, plant_script,
                                        {change.how[2], delivery.lab, base64(delivery.controller)},
                                        command_time_max));
  static_cast<void>(said);
  return {};
}

Result<void> start(Host& host, std::uint32_t vmid) {
  RELAB_TRY(const auto said, run_inside(host, vmid, start_script, {}, command_time_max));
  static_cast<void>(said);
  return {};
}

}  // namespace

Result<Message<Facts>> AgentInstall::observe(Params::Reader params, Host& host) {
  if (params.getVmid() == 0)
    return fail(Fault::invalid,
                fmt::format("the task tells no vmid of '{}'", str(params.getName())),
                "it comes from [[guests]] of lab.toml");
  RELAB_TRY(const auto delivery, host.delivery());
  RELAB_TRY(const auto controller, read_identity(delivery.controller, schema::Role::CONTROLLER));
  RELAB_TRY(const auto guest, read_pve_guest(host, params.getVmid()));
  Draft<Facts> facts;
  facts->setController(crypto::fingerprint(controller.sign_key));
  facts->setExpected(blob(delivery.expected));
  if (!guest) return std::move(facts).finish();
  facts->setKind(std::string(name(guest->type)));
  facts->setStatus(guest->status);
  if (!guest->running() || guest->type != GuestType::lxc) return std::move(facts).finish();
  RELAB_CHECK(check_owner(params, *guest));
  RELAB_TRY(const auto found, look_at_agent(host, params.getVmid(), str(params.getName())));
  RELAB_CHECK(check_lab(params, found, delivery));
  RELAB_CHECK(store_packages(found, delivery, str(params.getRole()), *facts));
  store_agent(found, *facts);
  return std::move(facts).finish();
}

Result<std::vector<Change>> AgentInstall::plan(Params::Reader params, Facts::Reader facts) {
  RELAB_CHECK(check_container(params, facts));
  RELAB_CHECK(check_identity(params, facts));
  RELAB_TRY(const bool obedient, obeys(params, facts));
  // Without keys of its own nobody could ever reach it.
  const bool planted = obedient && facts.getIdentity().size() != 0;
  const auto vmid = std::to_string(params.getVmid());
  std::vector<Change> changes;
  RELAB_TRY(auto installing, installation(params, facts));
  auto removing = removal(params, facts);
  const bool is_limited_anew = removing.has_value();
  if (removing) changes.push_back(std::move(*removing));
  if (installing) changes.push_back(std::move(*installing));
  if (!planted)
    changes.push_back({.what = fmt::format("+ the agent in {} obeys the controller {}",
                                           title_of(params), str(facts.getController())),
                       .how = {"plant", vmid, str(params.getName())}});
  // The limits of its unit are those that it was started with.
  if (is_limited_anew || !planted || !facts.getEnabled() || !facts.getActive())
    changes.push_back(
        {.what = fmt::format("~ the agent in {} runs, also after a restart", title_of(params)),
         .how = {"start", vmid}});
  return changes;
}

Result<void> AgentInstall::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() >= 2);
  RELAB_TRY(const auto vmid, parse_number<std::uint32_t>(change.how[1]));
  if (change.how[0] == "remove") return remove(change, host, vmid);
  if (change.how[0] == "install") return install(change, host, vmid);
  if (change.how[0] == "plant") return plant(change, host, vmid);
  return start(host, vmid);
}

}  // namespace relab::agent::guests
