#include "agent/host/sim/sim_host.h"
#include "agent/kinds/services/audit.h"
#include "agent/kinds/services/processes.h"
#include "agent/kinds/services/units.h"
#include "agent/kinds/support/sockets.h"
#include "tests/support/must.h"

namespace relab::agent::services {

namespace {

const std::string head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";
const std::string tcp =
    head +
    "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "1532 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 "
    "1600 1 0000000000000000 100 0 0 10 0\n"
    "   2: 0A0A2A0A:0016 0B0A2A0A:C001 01 00000000:00000000 02:000A 00000000     0        0 1700 "
    "2 0000000000000000 20 4 30 10 -1\n";
const std::string units_json =
    R"([{"unit":"ssh.service","load":"loaded","active":"active","sub":"running","description":"OpenBSD"},
        {"unit":"dev-sda.device","load":"loaded","active":"active","sub":"plugged","description":"d"},
        {"unit":"zfs-mount.service","load":"loaded","active":"failed","sub":"failed","description":"Mount"}])";
const std::string files_json =
    R"([{"unit_file":"ssh.service","state":"enabled","preset":"enabled"},
        {"unit_file":"dbus.service","state":"static","preset":null},
        {"unit_file":"sleep.target","state":"masked","vendor_preset":"enabled"}])";

void process(SimHost& host, const std::string& pid, const std::string& name,
             const std::string& parent) {
  host.file("/proc/" + pid + "/status",
            "Name:\t" + name + "\nPPid:\t" + parent + "\nUid:\t0\t0\t0\t0\nVmSize:\t 1 kB\n");
  host.file("/proc/" + pid + "/cgroup", "0::/system.slice/" + name + ".service\n");
  host.file("/proc/" + pid + "/comm", name + "\n");
  host.directory("/proc/" + pid + "/fd");
}

void machine(SimHost& host) {
  process(host, "1", "systemd", "0");
  process(host, "700", "sshd", "1");
  host.directory("/run/systemd/system");
  host.file("/etc/passwd", "root:x:0:0::/root:/bin/bash\nwww:x:101:101::/:/bin/false\n");
  host.link("/proc/1/fd/3", "socket:[1532]");
  host.link("/proc/700/fd/0", "/dev/null");
  host.link("/proc/700/fd/3", "socket:[1532]");
  host.file("/proc/net/tcp", tcp);
  host.file("/proc/net/udp", head);
  host.answer("systemctl list-units --all --no-pager --output=json", {.out = units_json});
  host.answer("systemctl list-unit-files --no-pager --output=json", {.out = files_json});
}

Message<schema::AuditServices::Facts> observe(SimHost& host) {
  const auto params = must(Message<schema::AuditServices>::from_json("{}"));
  return must(AuditServices::observe(params.reader(), host));
}

}  // namespace

TEST_CASE("sockets: only those that wait for the world are taken", "[agent][services]") {
  const auto sockets = must(parse_sockets("tcp", tcp));

  REQUIRE(sockets.size() == 2);
  CHECK(sockets[0] == Socket{.protocol = "tcp", .address = "0.0.0.0", .port = 22, .inode = 1532});
  CHECK(sockets[1].address == "127.0.0.1");
  CHECK(sockets[1].port == 8080);
  CHECK(sockets[1].uid == 101);
}

TEST_CASE("sockets: a UDP socket without a peer counts, one with a peer does not",
          "[agent][services]") {
  const auto table = head +
                     " 500: 00000000:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000 "
                     "0 0 21 2 0 0\n"
                     " 501: 0A0A2A0A:8000 0B0A2A0A:0035 01 00000000:00000000 00:00000000 00000000 "
                     "0 0 22 2 0 0\n";

  const auto sockets = must(parse_sockets("udp", table));

  REQUIRE(sockets.size() == 1);
  CHECK(sockets[0].port == 51820);
}

TEST_CASE("sockets: addresses come in the machine's byte order", "[agent][services]") {
  CHECK(must(parse_address("0100007F")) == "127.0.0.1");
  CHECK(must(parse_address("00000000000000000000000000000000")) == "::");
  CHECK(must(parse_address("00000000000000000000000001000000")) == "::1");
  CHECK(must(parse_address("000080FE00000000FF005450B6AD1DFE")) == "fe80::5054:ff:fe1d:adb6");
  CHECK(must(parse_address("0000000000000000FFFF00000100007F")) == "::ffff:127.0.0.1");
}

TEST_CASE("sockets: what is no table is an error, not an empty one", "[agent][services]") {
  const auto* text = GENERATE(
      "", "\n", "no table\n", "sl x\n 0: cut\n", "sl x\n 0: zz:1 0:0 0A 0 0 0 0 1 0 5\n",
      "sl x\n 0: 0100007F:FFFFF 0:0 0A 0 0 0 0 1 0 5\n",
      "sl x\n 0: 0100007F 0:0 0A 0 0 0 0 1 0 5\n", "sl x\n 0: 0100007F:1 0:0 0A 0 0 0 -1 -1 0 5\n");

  CHECK_FALSE(parse_sockets("tcp", text));
}

TEST_CASE("units: failed ones come first, and devices in order are noise", "[agent][services]") {
  const auto units = must(parse_units(units_json));

  REQUIRE(units.size() == 3);
  CHECK(units[0].name == "zfs-mount.service");
  CHECK(is_noise(units[1]));
  CHECK_FALSE(is_noise(units[2]));
  CHECK_FALSE(is_noise(Unit{.name = "dev-sdb.device", .active = "failed"}));
}

TEST_CASE("units: the preset is found under its old name, too", "[agent][services]") {
  const auto files = must(parse_unit_files(files_json));

  REQUIRE(files.size() == 3);
  CHECK(files[1] == UnitFile{.name = "sleep.target", .state = "masked", .preset = "enabled"});
  CHECK(is_noise(files[0]));
  CHECK(files[0].preset.empty());
}

TEST_CASE("units: what is no list of units is an error", "[agent][services]") {
  const auto* text = GENERATE("", "[]", "{}", "null", "[1]", R"([{"load":"x"}])", R"([{"unit":)",
                              "\xFF", "UNIT LOAD ACTIVE\n");

  CHECK_FALSE(parse_units(text));
  CHECK_FALSE(parse_unit_files(text));
}

TEST_CASE("processes: a kernel thread is told by the kernel, or by its parent",
          "[agent][services]") {
  const auto status = [](const std::string& name, const std::string& parent,
                         const std::string& more) {
    return "Name:\t" + name + "\nPPid:\t" + parent + "\nUid:\t0\t0\t0\t0\n" + more;
  };

  CHECK(must(parse_process(2, status("kthreadd", "0", ""))).is_kernel_thread);
  CHECK(must(parse_process(9, status("kworker/0:0", "2", ""))).is_kernel_thread);
  CHECK(must(parse_process(9, status("x", "7", "Kthread:\t1\n"))).is_kernel_thread);
  CHECK_FALSE(must(parse_process(9, status("x", "2", "Kthread:\t0\n"))).is_kernel_thread);
  CHECK_FALSE(must(parse_process(9, status("sh", "2", "VmSize:\t1 kB\n"))).is_kernel_thread);
  CHECK_FALSE(must(parse_process(2, status("bash", "1", ""))).is_kernel_thread);
}

TEST_CASE("processes: a status that says too little is an error", "[agent][services]") {
  const auto* text = GENERATE("", "Name:\tx\n", "Name:\tx\nPPid:\t1\n",
                              "Name:\tx\nPPid:\ty\nUid:\t0\n", "Name:\tx\nPPid:\t1\nUid:\t\n");

  CHECK_FALSE(parse_process(5, text));
}

TEST_CASE("processes: the control group is that of the hierarchy in use", "[agent][services]") {
  CHECK(parse_cgroup("0::/system.slice/ssh.service\n") == "/system.slice/ssh.service");
  CHECK(parse_cgroup("9:name=systemd:/a\n8:pids:/b\n0::/\n") == "/a");
  CHECK(parse_cgroup("0::/\n") == "/");
  CHECK(parse_cgroup("") == "/");
}

TEST_CASE("processes: only socket links name a socket", "[agent][services]") {
  CHECK(parse_socket_link("socket:[1532]") == 1532);
  CHECK_FALSE(parse_socket_link("pipe:[1532]"));
  CHECK_FALSE(parse_socket_link("socket:[x]"));
  CHECK_FALSE(parse_socket_link("socket:["));
}

TEST_CASE("services audit: units, files and sockets with their processes are told",
          "[agent][services]") {
  SimHost host;
  machine(host);

  const auto message = observe(host);

  const auto facts = message.reader();
  CHECK(view(facts.getInit()) == "systemd");
  REQUIRE(facts.getUnits().size() == 2);
  CHECK(view(facts.getUnits()[0].getName()) == "zfs-mount.service");
  REQUIRE(facts.getUnitFiles().size() == 2);
  REQUIRE(facts.getSockets().size() == 2);
  const auto ssh = facts.getSockets()[0];
  CHECK(ssh.getPid() == 700);
  CHECK(view(ssh.getProcess()) == "sshd");
  CHECK(view(ssh.getUser()) == "root");
  CHECK(view(ssh.getCgroup()) == "/system.slice/sshd.service");
  CHECK(facts.getSockets()[1].getPid() == 0);
  CHECK(view(facts.getSockets()[1].getUser()) == "www");
  CHECK(facts.getProcesses().size() == 0);
  CHECK(facts.getCoverage().getProblems().size() == 0);
}

TEST_CASE("services audit: without systemd the processes stand for the units",
          "[agent][services]") {
  SimHost host;
  machine(host);
  process(host, "1", "tini", "0");
  host.remove("/run/systemd/system");

  const auto message = observe(host);

  const auto facts = message.reader();
  REQUIRE(facts.getCoverage().getParts().size() >= 1);
  CHECK(view(facts.getCoverage().getParts()[0].getPart()) == "systemd units");
  REQUIRE(facts.getProcesses().size() == 2);
  CHECK(view(facts.getProcesses()[0].getName()) == "tini");
  CHECK(view(facts.getProcesses()[1].getName()) == "sshd");
  CHECK(facts.getProcesses()[1].getParent() == 1);
}

TEST_CASE("services audit: a systemctl that fails is a problem, and the rest goes on",
          "[agent][services]") {
  SimHost host;
  machine(host);
  host.answer("systemctl list-units --all --no-pager --output=json",
              {.status = 1, .err = "Failed to connect to bus: Host is down\n"});

  const auto message = observe(host);

  const auto facts = message.reader();
  REQUIRE(facts.getCoverage().getProblems().size() == 1);
  CHECK(view(facts.getCoverage().getProblems()[0].getPart()) == "systemd units");
  CHECK(facts.getUnitFiles().size() == 2);
  CHECK(facts.getSockets().size() == 2);
}

TEST_CASE("services audit: a process that hides its descriptors is named as a gap",
          "[agent][services]") {
  SimHost host;
  machine(host);
  host.broken("/proc/700/fd", {.fault = Fault::refused, .what = "permission denied"});

  const auto message = observe(host);

  const auto problems = message.reader().getCoverage().getProblems();
  REQUIRE(problems.size() == 1);
  CHECK(view(problems[0].getPart()) == "processes of sockets");
}

TEST_CASE("services audit: what a process hides even from root is told, and is no problem",
          "[agent][services]") {
  SimHost host;
  machine(host);
  host.file("/proc/self/status", "Name:\trelab-agent\nUid:\t0\t0\t0\t0\n");
  host.broken("/proc/700/fd", {.fault = Fault::refused, .what = "permission denied"});

  const auto message = observe(host);

  const auto coverage = message.reader().getCoverage();
  CHECK(coverage.getProblems().size() == 0);
  CHECK(any_in(coverage.getParts(),
               [](auto gap) { return view(gap.getPart()) == "processes of sockets"; }));
}

TEST_CASE("services audit: IPv6 switched off is no problem, a missing IPv4 table is",
          "[agent][services]") {
  SimHost host;
  machine(host);
  host.remove("/proc/net/tcp");

  const auto message = observe(host);

  const auto coverage = message.reader().getCoverage();
  CHECK(view(coverage.getParts()[0].getPart()) == "tcp6 sockets");
  REQUIRE(coverage.getProblems().size() == 1);
  CHECK(view(coverage.getProblems()[0].getPart()) == "tcp sockets");
}

TEST_CASE("services audit: without /proc the section fails", "[agent][services]") {
  SimHost host;
  const auto params = must(Message<schema::AuditServices>::from_json("{}"));

  CHECK_FALSE(AuditServices::observe(params.reader(), host));
}

}  // namespace relab::agent::services
