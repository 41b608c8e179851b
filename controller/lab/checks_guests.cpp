// Guests: their numbers and names, what they mount, and what runs in them.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "common/wire/message.h"
#include "controller/lab/checks.h"
#include "controller/lab/guest_tasks.h"
#include "controller/lab/hosts.h"
#include "controller/lab/roles.h"
#include "controller/lab/steps.h"

namespace relab::lab {

namespace {

using schema::Lab;

void vmids_are_unique(Lab::Reader lab, Findings& findings) {
  std::map<unsigned, std::string> taken;
  for (unsigned i = 0; i < lab.getGuests().size(); ++i) {
    const auto guest = lab.getGuests()[i];
    if (guest.getVmid() == 0) continue;
    const auto [first, is_new] = taken.emplace(guest.getVmid(), str(guest.getName()));
    if (!is_new)
      findings.report(findings.element_path("guests", i) + ".vmid",
                      fmt::format("VMID {} is that of '{}' too", guest.getVmid(), first->second));
  }
}

void machines_have_one_name(Lab::Reader lab, Findings& findings) {
  std::set<std::string> hosts;
  for (const auto host : lab.getHosts()) hosts.insert(str(host.getName()));
  for (unsigned i = 0; i < lab.getGuests().size(); ++i) {
    const auto name = str(lab.getGuests()[i].getName());
    if (!name.empty() && hosts.contains(name))
      findings.report(findings.element_path("guests", i) + ".name",
                      fmt::format("'{}' is the name of a host too", name),
                      "tracks name hosts and guests alike");
  }
}

void vms_have_no_options_of_containers(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getGuests().size(); ++i) {
    if (lab.getGuests()[i].getType() != Lab::Guest::Type::VM) continue;
    const auto path = findings.element_path("guests", i);
    for (const auto* key : {"privileged", "template", "mounts", "nesting"})
      if (const auto own = fmt::format("{}.{}", path, key); findings.given(own))
        findings.report(own, "this is for containers only", "remove it, or say type = \"lxc\"");
  }
}

void containers_have_a_template(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getGuests().size(); ++i) {
    const auto path = findings.element_path("guests", i);
    if (lab.getGuests()[i].getType() == Lab::Guest::Type::LXC &&
        !findings.given(path + ".template"))
      findings.report(path, "a container needs a template",
                      "for example: template = \"debian-12-standard\"");
  }
}

/// Whether a path on the host is below the root of one of the pools.
bool is_in_a_pool(Lab::Reader lab, std::string_view source) {
  for (const auto pool : lab.getPools())
    if (pool.getName().size() != 0 && source.starts_with(fmt::format("/{}/", view(pool.getName()))))
      return true;
  return false;
}

void mounts_are_in_pools(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getGuests().size(); ++i) {
    const auto list = findings.element_path("guests", i) + ".mounts";
    const auto mounts = lab.getGuests()[i].getMounts();
    for (unsigned k = 0; k < mounts.size(); ++k) {
      const auto source = view(mounts[k].getSource());
      if (source.empty() || is_in_a_pool(lab, source)) continue;
      findings.report(findings.element_path(list, k) + ".source",
                      fmt::format("{} is not inside a pool of this lab", source),
                      "a directory that is no dataset would fill the system's own disk");
    }
  }
}

void mount_targets_are_unique(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getGuests().size(); ++i) {
    std::set<std::string> targets;
    const auto list = findings.element_path("guests", i) + ".mounts";
    const auto mounts = lab.getGuests()[i].getMounts();
    for (unsigned k = 0; k < mounts.size(); ++k) {
      const auto target = str(mounts[k].getTarget());
      if (!target.empty() && !targets.insert(target).second)
        findings.report(findings.element_path(list, k) + ".target",
                        fmt::format("something is mounted at {} already", target));
    }
  }
}

void gpus_are_in_the_guests_host(Lab::Reader lab, Findings& findings) {
  std::map<std::string, std::string> hosts;
  for (const auto gpu : lab.getGpus()) hosts.emplace(str(gpu.getName()), str(gpu.getHost()));
  for (unsigned i = 0; i < lab.getGuests().size(); ++i) {
    const auto guest = lab.getGuests()[i];
    for (unsigned k = 0; k < guest.getGpus().size(); ++k) {
      const auto gpu = hosts.find(str(guest.getGpus()[k]));
      if (gpu != hosts.end() && gpu->second != view(guest.getHost()))
        findings.report(fmt::format("{}.gpus[{}]", findings.element_path("guests", i), k),
                        fmt::format("GPU '{}' is in another host than the guest", gpu->first));
    }
  }
}

/// Services that share one machine: no kind and no TCP port twice.
void check_services(capnp::List<Lab::Service>::Reader services, const std::string& path,
                    Findings& findings) {
  std::set<Lab::Service::Kind> kinds;
  std::set<unsigned> ports;
  for (unsigned i = 0; i < services.size(); ++i) {
    const auto own = findings.element_path(path + ".services", i);
    const auto kind = services[i].getKind();
    const auto port = services[i].getPort();
    if (kind != Lab::Service::Kind::UNSET && !kinds.insert(kind).second)
      findings.report(own + ".kind", "this service is listed twice");
    // WireGuard's port is UDP.
    if (port == 0 || kind == Lab::Service::Kind::WIREGUARD) continue;
    if (!ports.insert(port).second)
      findings.report(own + ".port", fmt::format("port {} is taken by another service", port));
  }
}

void services_do_not_collide(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getGuests().size(); ++i)
    check_services(lab.getGuests()[i].getServices(), findings.element_path("guests", i), findings);
  for (unsigned i = 0; i < lab.getPeers().size(); ++i)
    check_services(lab.getPeers()[i].getServices(), findings.element_path("peers", i), findings);
}

/// Whether a guest of this name exists and has no service on this port.
bool is_deaf(Lab::Reader lab, std::string_view name, unsigned port) {
  for (const auto guest : lab.getGuests()) {
    if (view(guest.getName()) != name) continue;
    for (const auto service : guest.getServices())
      if (service.getPort() == port) return false;
    return true;
  }
  return false;
}

void sites_are_answered(Lab::Reader lab, Findings& findings) {
  for (unsigned i = 0; i < lab.getPeers().size(); ++i) {
    const auto list = findings.element_path("peers", i) + ".sites";
    const auto sites = lab.getPeers()[i].getSites();
    for (unsigned k = 0; k < sites.size(); ++k) {
      const auto guest = view(sites[k].getGuest());
      const auto port = sites[k].getPort();
      if (port != 0 && is_deaf(lab, guest, port))
        findings.report(findings.element_path(list, k) + ".port",
                        fmt::format("no service of '{}' listens on port {}", guest, port));
    }
  }
}

void guests_are_made_where_they_run(Lab::Reader lab, Findings& findings) {
  each_step_of_tracks(lab, findings, [&](auto track, auto step, const std::string& path) {
    const auto name = guest_of(step.getTask());
    for (const auto guest : lab.getGuests()) {
      if (name.empty() || view(guest.getName()) != name) continue;
      if (const auto vmid = vmid_of(step.getTask()); vmid != 0 && vmid != guest.getVmid())
        findings.report(
            path,
            fmt::format("'{}' has the vmid {}, and this step says {}", name, guest.getVmid(), vmid),
            "leave `vmid` out: it is that of [[guests]]");
      if (guest.getType() == Lab::Guest::Type::VM)
        findings.report(path, fmt::format("'{}' is a virtual machine", name),
                        "steps make and run containers only");
      else if (view(track.getAgent()) != host_of(guest, lab))
        findings.report(path,
                        fmt::format("'{}' runs on '{}', and this track is of '{}'", name,
                                    host_of(guest, lab), view(track.getAgent())),
                        "the host's own agent makes and runs its containers");
    }
  });
}

void agents_have_roles_that_exist(Lab::Reader lab, Findings& findings) {
  each_step(lab, findings, [&](Lab::Step::Reader step, const std::string& path) {
    if (!step.getTask().isAgentInstall()) return;
    const auto role = view(step.getTask().getAgentInstall().getRole());
    if (role.empty() || std::ranges::find(roles, role) != roles.end()) return;
    findings.report(path + ".task.agent_install.role", fmt::format("there is no role '{}'", role),
                    fmt::format("one of {}", fmt::join(roles, ", ")));
  });
}

constexpr Check checks[] = {
    {"no two guests have one VMID", vmids_are_unique},
    {"no guest has a host's name", machines_have_one_name},
    {"VMs have no options of containers", vms_have_no_options_of_containers},
    {"containers have a template", containers_have_a_template},
    {"mounts come from pools of the lab", mounts_are_in_pools},
    {"no two mounts have one target", mount_targets_are_unique},
    {"a guest's GPUs are in its host", gpus_are_in_the_guests_host},
    {"services of one machine do not collide", services_do_not_collide},
    {"a guest listens where a site points", sites_are_answered},
    {"guests are made and run by their host", guests_are_made_where_they_run},
    {"an agent is installed with a role that exists", agents_have_roles_that_exist},
};

}  // namespace

std::span<const Check> guest_checks() { return checks; }

}  // namespace relab::lab
