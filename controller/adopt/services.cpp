#include "controller/adopt/services.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>
#include <string>
#include <vector>

#include "common/wire/message.h"
#include "controller/lab/programs.h"

namespace relab::controller {

namespace {

/// Of an application that keeps what it has in folders below its own.
std::string_view own_folder(std::string_view data) {
  constexpr std::string_view below = "/qBittorrent/config";
  if (data.ends_with(below)) data.remove_suffix(below.size());
  return data;
}

/// What every Debian has, and nobody asks for.
bool is_of_system(std::string_view unit) {
  static const std::set<std::string_view> names = {
      "chrony",  "console-getty", "container-getty",
      "cron",    "dbus",          "exim4",
      "getty",   "networking",    "polkit",
      "postfix", "rpcbind",       "rsyslog",
      "ssh",     "sshd",          "unattended-upgrades",
      "user",    "relab-agent"};
  return unit.starts_with("systemd-") || names.contains(unit.substr(0, unit.find_first_of("@.")));
}

/// Of one guest.
class Writer {
 public:
  Writer(const AdoptedAudit& audit, LabText& out) : audit_(audit), out_(out) {}

  void write(std::uint32_t vmid) {
    if (audit_.arr) write_arr(vmid);
    if (audit_.jellyfin)
      for (const auto server : audit_.jellyfin->getServers()) {
        if (server.getVmid() != vmid) continue;
        const auto port =
            server.getPublishedPort() != 0 ? server.getPublishedPort() : server.getPort();
        const bool docked = server.getContainer().size() != 0;
        write_service("jellyfin", port, docked ? "" : view(server.getDataPath()),
                      docked ? "in Docker: " + str(server.getContainer()) : "");
      }
    if (audit_.pbs)
      for (const auto server : audit_.pbs->getServers())
        if (server.getVmid() == vmid && server.getInstalled()) {
          const auto& pbs = lab::program(schema::Lab::Service::Kind::PBS);
          write_service(pbs.name, pbs.port, pbs.folder,
                        "port and path are those that it always has");
        }
    write_docker(vmid);
    write_units(vmid);
  }

 private:
  /// Of a guest each kind once, and each port.
  void write_service(std::string_view kind, std::uint16_t port, std::string_view path,
                     const std::string& remark) {
    if (kinds_.contains(std::string(kind))) return;
    if (port != 0 && !ports_.insert(port).second) {
      out_.remark(fmt::format("{} on port {}, which another one has: one of them does not run",
                              kind, port));
      return;
    }
    kinds_.insert(std::string(kind));
    out_.table("[[guests.services]]");
    out_.text("kind", kind, remark);
    out_.number("port", port);
    if (is_path(path)) out_.text("path", path);
  }

  void write_arr(std::uint32_t vmid) {
    static const std::set<std::string> known = {"sonarr", "radarr", "prowlarr", "qbittorrent",
                                                "sabnzbd"};
    for (const auto app : audit_.arr->getApps()) {
      if (app.getVmid() != vmid) continue;
      const auto port = app.getPublishedPort() != 0 ? app.getPublishedPort() : app.getPort();
      const bool docked = app.getContainer().size() != 0;
      if (!known.contains(str(app.getApp()))) {
        out_.remark(
            fmt::format("{} on port {}: relab knows no such service", str(app.getApp()), port));
        continue;
      }
      write_service(view(app.getApp()), port, docked ? "" : own_folder(view(app.getDataPath())),
                    docked ? "in Docker: " + str(app.getContainer()) : "");
    }
  }

  using Container = schema::AuditGuests::DockerContainer::Reader;

  /// Those that run first: of one kind, the first one counts.
  std::vector<Container> containers_of(std::uint32_t vmid) const {
    std::vector<Container> found;
    for (const auto container : audit_.guests->getDocker())
      if (container.getVmid() == vmid) found.push_back(container);
    std::stable_partition(found.begin(), found.end(),
                          [](const auto& one) { return view(one.getState()) == "running"; });
    return found;
  }

  /// The usual one where it is among them, or else the only one.
  static std::uint16_t port_of(Container container, const lab::Program& program) {
    const auto ports = container.getPublished();
    if (any_in(ports, [&](auto port) { return port == program.port; })) return program.port;
    return ports.size() == 1 ? ports[0] : std::uint16_t{0};
  }

  void write_docker(std::uint32_t vmid) {
    for (const auto& container : containers_of(vmid)) {
      const auto* program = lab::program_of_image(view(container.getImage()));
      const auto name = str(container.getName());
      if (program == nullptr) {
        out_.remark(fmt::format("in Docker: {}, of {}: relab knows no such service", name,
                                str(container.getImage())));
        continue;
      }
      if (kinds_.contains(std::string(program->name))) {
        if (is_own_section(program->kind)) continue;
        out_.remark(fmt::format("in Docker: {}, one more {}: a lab file has one of each", name,
                                program->name));
        continue;
      }
      const auto folders = container.getFolders();
      const bool runs = view(container.getState()) == "running";
      write_service(program->name, port_of(container, *program),
                    folders.size() == 1 ? view(folders[0]) : std::string_view(),
                    fmt::format("in Docker: {}{}", name,
                                runs ? std::string() : ", " + str(container.getState())));
      if (folders.size() > 1)
        for (const auto folder : folders)
          out_.remark(
              fmt::format("{} has {}: which one its path is, is yours to say", name, str(folder)));
    }
  }

  /// Told by a section of its own, with its container.
  static bool is_own_section(schema::Lab::Service::Kind kind) {
    using Kind = schema::Lab::Service::Kind;
    return kind == Kind::JELLYFIN || kind == Kind::SONARR || kind == Kind::RADARR ||
           kind == Kind::PROWLARR || kind == Kind::QBITTORRENT || kind == Kind::SABNZBD;
  }

  bool listens(std::uint32_t vmid, std::uint16_t port) const {
    return any_in(audit_.guests->getPorts(),
                  [&](auto told) { return told.getVmid() == vmid && told.getPort() == port; });
  }

  void write_units(std::uint32_t vmid) {
    for (const auto unit : audit_.guests->getUnits()) {
      if (unit.getVmid() != vmid) continue;
      const auto name = str(unit.getName());
      const auto* program = lab::program_of_unit(name);
      if (program == nullptr) {
        if (unit.getRuns() && !is_of_system(name))
          out_.remark(fmt::format("{} runs in it: relab knows no such service", name));
        continue;
      }
      const bool usual = program->port != 0 && listens(vmid, program->port);
      write_service(program->name, usual ? program->port : std::uint16_t{0}, program->folder,
                    fmt::format("{}{}; the path is the usual one", name,
                                unit.getRuns() || unit.getEnabled() ? "" : ", which does not run"));
    }
  }

  const AdoptedAudit& audit_;
  LabText& out_;
  std::set<std::uint16_t> ports_;
  std::set<std::string> kinds_;
};

}  // namespace

bool is_path(std::string_view path) {
  constexpr std::string_view more = "/._@+-";
  if (path.size() < 2 || path[0] != '/' || path.find("//") != std::string_view::npos ||
      path.ends_with('/') || path.find("/.") != std::string_view::npos)
    return false;
  return std::ranges::all_of(path, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || more.find(c) != std::string::npos;
  });
}

void adopt_services(const AdoptedAudit& audit, std::uint32_t vmid, LabText& out) {
  Writer(audit, out).write(vmid);
}

}  // namespace relab::controller
