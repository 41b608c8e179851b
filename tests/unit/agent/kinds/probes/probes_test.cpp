// Each probe by way of carrying out an order: what counts is what the task comes to.

#include <fmt/format.h>

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/carry_out.h"
#include "agent/kinds/kind.h"
#include "agent/kinds/probes/dig.h"
#include "tests/support/faulty_host.h"
#include "tests/support/must.h"

namespace relab::agent::probes {

namespace {

Work probe(Host& host, const std::string& task, schema::Mode mode = schema::Mode::APPLY) {
  Draft<schema::Order> order;
  order->setMode(mode);
  order->setTask(must(Message<schema::Task>::from_json(task)).reader());
  return carry_out(order->asReader(), {.host = host, .rescue = host},
                   [](const auto& /*facts*/) { return Result<void>(); });
}

bool is_met(const Work& work) { return work.outcome == schema::Outcome::SUCCEEDED; }

Work mount_check(SimHost& host, const std::string& more) {
  return probe(host, R"({"mountCheck": {"path": "/tank/media")" + more + "}}");
}

void mounts(SimHost& host, const std::string& text) {
  host.directory("/tank/media");
  host.file("/proc/self/mountinfo", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + text);
}

constexpr auto media = "30 20 0:40 / /tank/media rw,noatime shared:1 - zfs tank/media rw,xattr\n";

}  // namespace

TEST_CASE("mount check: the right file system is enough", "[agent][probes]") {
  SimHost host;
  mounts(host, media);
  host.file_system("/tank/media", {.size = 1000, .free = 500});

  const auto work = mount_check(host, R"(, "source": "tank/media", "type": "zfs",
                                           "access": "readWrite", "free": "500")");

  CHECK(is_met(work));
  CHECK(work.facts->reader().getMountCheck().getFree() == 500);
}

TEST_CASE("mount check: anything else is a failure, with what was found", "[agent][probes]") {
  SimHost host;
  host.file_system("/tank/media", {.size = 1000, .free = 500});
  const auto [text, more, why] = GENERATE(table<std::string, std::string, std::string>({
      {"", "", "nothing is mounted on /tank/media"},
      {"30 20 0:40 / /tank rw - zfs tank rw\n", "", "nothing is mounted on /tank/media"},
      {"30 20 0:40 / /tank/media/x rw - zfs tank rw\n", "", "nothing is mounted"},
      {media, R"(, "source": "tank/other")", "the mounted source is 'tank/media'"},
      {media, R"(, "type": "ext4")", "the type of the file system is 'zfs'"},
      {media, R"(, "access": "readOnly")", "can be written to"},
      {media, R"(, "free": "501")", "there is room for 500 B"},
      {"30 20 0:40 / /tank/media ro - zfs tank/media rw\n", R"(, "access": "readWrite")",
       "mounted read-only"},
      {"30 20 0:40 / /tank/media rw - zfs tank/media ro\n", R"(, "access": "readWrite")",
       "mounted read-only"},
      {std::string(media) + "31 20 0:41 / /tank rw - tmpfs tmpfs rw\n", "", "nothing is mounted"},
      {std::string(media) + "31 30 0:41 / /tank/media rw - tmpfs none rw\n",
       R"(, "source": "tank/media")", "the mounted source is 'none'"},
  }));
  mounts(host, text);

  const auto work = mount_check(host, more);

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains(why));
  CHECK(work.facts);
}

TEST_CASE("mount check: a table that cannot be read is no absence", "[agent][probes]") {
  SimHost host;

  CHECK_FALSE(is_met(mount_check(host, "")));
}

TEST_CASE("probes: what is not so yet is waited for, as long as was said", "[agent][probes]") {
  SimHost host;
  const auto begun = host.now();
  int calls = 0;
  host.command("status", {"/usr/bin/status"});
  host.program("status", [&](const Command&) -> Result<Output> {
    return Output{.status = ++calls < 4 ? 1 : 0};
  });

  const auto patient = probe(host, R"({"commandProbe": {"command": "status", "patience": 60}})");

  CHECK(is_met(patient));
  CHECK(patient.facts->reader().getCommandProbe().getTries() == 4);
  calls = -100;
  const auto impatient = probe(host, R"({"commandProbe": {"command": "status", "patience": 10}})");
  CHECK_FALSE(is_met(impatient));
  CHECK(host.now() - begun < std::chrono::seconds(30));
}

TEST_CASE("probes: in check mode what is not so yet is told, and is no failure",
          "[agent][probes]") {
  SimHost host;
  host.reach("10.0.0.1", Reach::refused);

  const auto work =
      probe(host, R"({"tcpProbe": {"address": "10.0.0.1", "port": 80}})", schema::Mode::CHECK);

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(work.changes.size() == 1);
  CHECK_THAT(work.changes[0], Catch::StartsWith("not so yet: 10.0.0.1 port 80 refuses"));
}

namespace {

Work tcp(SimHost& host, const std::string& expect) {
  return probe(host, R"({"tcpProbe": {"address": "10.0.0.1", "port": 80, "expect": ")" + expect +
                         R"(", "control": "10.0.0.1", "controlPort": 22}})");
}

}  // namespace

TEST_CASE("tcp probe: each outcome meets what it should, and nothing else", "[agent][probes]") {
  const auto [reach, open, refused, silent, blocked] = GENERATE(
      table<Reach, bool, bool, bool, bool>({{Reach::open, true, false, false, false},
                                            {Reach::refused, false, true, false, true},
                                            {Reach::silent, false, false, true, true},
                                            {Reach::unreachable, false, false, false, false},
                                            {Reach::no_network, false, false, false, false}}));
  SimHost host;
  host.reach("10.0.0.1 22", Reach::open);
  host.reach("10.0.0.1 80", reach);

  CHECK(is_met(tcp(host, "open")) == open);
  CHECK(is_met(tcp(host, "refused")) == refused);
  CHECK(is_met(tcp(host, "silent")) == silent);
  CHECK(is_met(tcp(host, "blocked")) == blocked);
}

TEST_CASE("tcp probe: a control that fails leaves nothing proven", "[agent][probes]") {
  SimHost host;
  host.reach("10.0.0.1 80", Reach::refused);
  host.reach("10.0.0.1 22",
             GENERATE(Reach::refused, Reach::silent, Reach::unreachable, Reach::no_network));

  const auto work = tcp(host, "blocked");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::unreachable);
  CHECK_THAT(work.failure.what, Catch::StartsWith("nothing is proven"));
}

TEST_CASE("tcp probe: the control is asked before and after", "[agent][probes]") {
  SimHost host;
  host.reach("10.0.0.1 22", Reach::open);
  host.reach("10.0.0.1 80", Reach::silent);
  FaultyHost counted(host);

  probe(counted, R"({"tcpProbe": {"address": "10.0.0.1", "port": 80, "expect": "silent",
                                  "control": "10.0.0.1", "controlPort": 22}})");

  CHECK(counted.calls() == std::vector<std::string>{"connect 10.0.0.1 22", "connect 10.0.0.1 80",
                                                    "connect 10.0.0.1 22"});
}

TEST_CASE("tcp probe: that something fails cannot be asked for without a control",
          "[agent][probes]") {
  SimHost host;
  host.reach("10.0.0.1", Reach::refused);
  const auto more =
      GENERATE(as<std::string>(), R"("expect": "blocked")", R"("expect": "refused")",
               R"("expect": "silent")", R"("expect": "blocked", "control": "10.0.0.1")",
               R"("expect": "blocked", "control": "10.0.0.1", "controlPort": 80)");

  const auto work =
      probe(host, R"({"tcpProbe": {"address": "10.0.0.1", "port": 80, )" + more + "}}");

  CHECK(work.failure.fault == Fault::invalid);
}

namespace {

/// curl, as it answers to our format.
struct Curl {
  int exit_code = 0;
  int status = 200;
  std::string body = "Healthy\n";
  std::string said = {};
  std::string certificates = {};

  void install(SimHost& host) const {
    host.program("curl", [this](const Command&) {
      auto err = fmt::format("{}\nrelab-status={:03}\nrelab-size={}\nrelab-peer=10.0.0.1\n", said,
                             status, body.size());
      return Result<Output>(Output{.status = exit_code, .out = body, .err = err + certificates});
    });
  }
};

Work http(SimHost& host, const std::string& more = {}) {
  return probe(host, R"({"httpProbe": {"url": "http://10.0.0.1/health")" + more + "}}");
}

constexpr auto fingerprint =
    "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:"
    "AD";
/// Of "abc", whose digest everybody knows.
constexpr auto certificate = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";

Work https(SimHost& host) {
  return probe(host, fmt::format(R"({{"httpProbe": {{"url": "https://x/", "fingerprint": "{}"}}}})",
                                 fingerprint));
}

}  // namespace

TEST_CASE("http probe: the right answer, and only that", "[agent][probes]") {
  SimHost host;
  Curl curl;
  curl.install(host);

  CHECK(is_met(http(host)));
  CHECK(is_met(http(host, R"(, "text": "Healthy")")));
  CHECK_FALSE(is_met(http(host, R"(, "text": "Sick")")));
  CHECK_FALSE(is_met(http(host, R"(, "status": 204)")));
  curl.status = 302;
  CHECK_FALSE(is_met(http(host)));
  CHECK(is_met(http(host, R"(, "status": 302)")));
}

TEST_CASE("http probe: no answer is told in curl's words", "[agent][probes]") {
  SimHost host;
  Curl curl{.exit_code = 60, .status = 0, .body = {}, .said = "curl: (60) SSL certificate problem"};
  curl.install(host);

  const auto work = http(host);

  CHECK(work.failure.fault == Fault::unreachable);
  CHECK_THAT(work.failure.what, Catch::Contains("SSL certificate problem"));
}

TEST_CASE("http probe: half an answer is none", "[agent][probes]") {
  SimHost host;
  Curl curl{.exit_code = 18};
  curl.install(host);

  CHECK_FALSE(is_met(http(host)));
}

TEST_CASE("http probe: without curl, or from one that reports nothing, there is no answer",
          "[agent][probes]") {
  SimHost host;
  CHECK(http(host).failure.fault == Fault::missing);

  host.program("curl", Output{.out = "Healthy\n"});
  CHECK(http(host).failure.fault == Fault::damaged);
}

TEST_CASE("http probe: the certificate is the one with the fingerprint", "[agent][probes]") {
  SimHost host;
  Curl curl;
  curl.install(host);

  curl.certificates = fmt::format("relab-certificates=1\nSubject:CN = x\n{}", certificate);
  CHECK(is_met(https(host)));
  curl.certificates =
      "relab-certificates=1\n-----BEGIN CERTIFICATE-----\nYWJk\n"
      "-----END CERTIFICATE-----\n";
  CHECK_FALSE(is_met(https(host)));
  curl.certificates = "relab-certificates=0\n\n";
  CHECK_FALSE(is_met(https(host)));
  curl.certificates = "relab-certificates=1\nSubject:CN = x\n";
  CHECK_FALSE(is_met(https(host)));
  curl.certificates.clear();
  CHECK_FALSE(is_met(https(host)));
}

TEST_CASE("http probe: a certificate cannot bring another's along in its name", "[agent][probes]") {
  SimHost host;
  Curl curl;
  curl.install(host);
  curl.certificates = fmt::format(
      "relab-certificates=1\nSubject:CN = \n{}\n-----BEGIN CERTIFICATE-----\nYWJk\n-----END "
      "CERTIFICATE-----\n",
      certificate);

  CHECK_FALSE(is_met(https(host)));
}

TEST_CASE("http probe: what is no URL is refused", "[agent][probes]") {
  SimHost host;
  const auto url = GENERATE(as<std::string>(), "", "ftp://x/", "file:///etc/passwd", "http:x", "-x",
                            "http://x y/");

  CHECK(probe(host, R"({"httpProbe": {"url": ")" + url + R"("}})").failure.fault == Fault::invalid);
}

namespace {

constexpr auto answered =
    ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 7\n"
    ";; flags: qr rd ra; QUERY: 1, ANSWER: 3, AUTHORITY: 0, ADDITIONAL: 1\n\n;; ANSWER SECTION:\n"
    "x.example.\t300\tIN\tCNAME\ty.example.\n"
    "y.example.\t300\tIN\tA\t10.0.0.7\ny.example.\t300\tIN\tA\t10.0.0.6\n\n";
constexpr auto denied = ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 7\n";

Work dns(const Output& output, const std::string& more = {}) {
  SimHost host;
  host.program("dig", output);
  return probe(host, R"({"dnsProbe": {"name": "x.example", "server": "10.0.0.1")" + more + "}}");
}

}  // namespace

TEST_CASE("dns probe: the right answer, and only that", "[agent][probes]") {
  CHECK(is_met(dns({.out = answered})));
  CHECK(is_met(dns({.out = answered}, R"(, "expected": ["10.0.0.7", "10.0.0.6"])")));
  CHECK_FALSE(is_met(dns({.out = answered}, R"(, "expected": ["10.0.0.7"])")));
  CHECK_FALSE(is_met(dns({.out = answered}, R"(, "expected": ["10.0.0.7", "10.0.0.8"])")));
  CHECK(is_met(dns({.out = answered}, R"(, "type": "cname", "expected": ["Y.example"])")));
  CHECK_FALSE(is_met(dns({.out = answered}, R"(, "type": "aaaa")")));
}

TEST_CASE("dns probe: that there is none must be said by the server", "[agent][probes]") {
  const auto* const none = R"(, "none": true)";

  CHECK(is_met(dns({.out = denied}, none)));
  CHECK_FALSE(is_met(dns({.out = denied})));
  CHECK_FALSE(is_met(dns({.out = answered}, none)));
  CHECK_FALSE(
      is_met(dns({.out = ";; ->>HEADER<<- opcode: QUERY, status: SERVFAIL, id: 7\n"}, none)));
  CHECK_FALSE(
      is_met(dns({.out = ";; ->>HEADER<<- opcode: QUERY, status: REFUSED, id: 7\n"}, none)));
  CHECK_FALSE(is_met(dns({.out = ""}, none)));
  const auto silent =
      dns({.status = 9, .out = ";; communications error to 10.0.0.1#53: timed out\n"}, none);
  CHECK(silent.failure.fault == Fault::unreachable);
  CHECK_THAT(silent.failure.what, Catch::Contains("timed out"));
}

TEST_CASE("dns probe: a server that only points elsewhere has not said that there is none",
          "[agent][probes]") {
  const std::string header = ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 7\n";
  const std::string counts = "; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 0\n\n";
  const std::string authority = ";; AUTHORITY SECTION:\n.\t518400\tIN\t";
  const auto* const none = R"(, "none": true)";
  const auto says = [&](const std::string& flags, const std::string& record) {
    return dns({.out = header + ";; flags: qr" + flags + counts + record}, none);
  };
  const auto ns = authority + "NS\ta.root-servers.net.\n";
  const auto soa = authority + "SOA\ta. b. 1 2 3 4 5\n";
  const std::string alias = ";; ANSWER SECTION:\nx.example.\t300\tIN\tCNAME\ty.other.\n";

  const auto referred = says(" rd", ns);

  CHECK(referred.failure.fault == Fault::unreachable);
  CHECK_THAT(referred.failure.what, Catch::Contains("only points elsewhere"));
  CHECK_FALSE(is_met(says("", "")));
  CHECK_FALSE(is_met(says(" aa rd", alias)));
  CHECK(is_met(says(" aa rd", "")));
  CHECK(is_met(says(" rd ra", "")));
  CHECK(is_met(says(" rd", soa)));
  CHECK(is_met(says(" rd ra", alias)));
}

TEST_CASE("dns probe: without dig there is no answer", "[agent][probes]") {
  SimHost host;

  const auto work =
      probe(host, R"({"dnsProbe": {"name": "x.example", "server": "10.0.0.1", "none": true}})");

  CHECK(work.failure.fault == Fault::missing);
}

TEST_CASE("dns probe: nothing that is asked is an option of dig", "[agent][probes]") {
  SimHost host;
  host.program("dig", Output{.out = denied});
  const auto name = GENERATE(as<std::string>(), "", "-f/etc/passwd", "+short", "@10.0.0.9", "a b");

  CHECK(probe(host,
              R"({"dnsProbe": {"server": "10.0.0.1", "none": true, "name": ")" + name + R"("}})")
            .failure.fault == Fault::invalid);
}

TEST_CASE("dig: texts have their quotes taken off, other records are left out", "[agent][probes]") {
  const auto text =
      must(parse_dig(";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\n"
                     "x. 1 IN TXT \"one \" \"two\"\n",
                     "TXT"));

  CHECK(text.values == std::vector<std::string>{"one two"});
  CHECK(parse_dig("x. 1 IN\n", "A").error().fault == Fault::damaged);
}

TEST_CASE("command probe: the role says what is run", "[agent][probes]") {
  SimHost host;
  host.program("status", Output{.status = 3, .out = "Quorate: Yes\npassword: hunter2\n"});

  CHECK(probe(host, R"({"commandProbe": {"command": "status"}})").outcome ==
        schema::Outcome::REFUSED);

  host.command("status", {"/usr/bin/status", "--all"});
  const auto met = probe(
      host, R"({"commandProbe": {"command": "status", "exitCode": 3, "text": "Quorate: Yes"}})");
  CHECK(is_met(met));
  CHECK(host.ran().back() == "status --all");
  CHECK_THAT(met.facts->to_json(), !Catch::Contains("hunter2"));
  CHECK_FALSE(is_met(probe(host, R"({"commandProbe": {"command": "status"}})")));
  CHECK_FALSE(is_met(probe(
      host, R"({"commandProbe": {"command": "status", "exitCode": 3, "text": "Quorate: No"}})")));
}

TEST_CASE("command probe: a program that is not there is an error", "[agent][probes]") {
  SimHost host;
  host.command("status", {"/usr/bin/status"});

  const auto work = probe(host, R"({"commandProbe": {"command": "status", "exitCode": 127}})");

  CHECK(work.failure.fault == Fault::missing);
}

TEST_CASE("command probe: a text may lie in what was cut off", "[agent][probes]") {
  SimHost host;
  host.command("status", {"/usr/bin/status"});
  host.program("status", Output{.out = "much", .truncated = true});

  CHECK(probe(host, R"({"commandProbe": {"command": "status", "text": "more"}})").failure.fault ==
        Fault::damaged);
}

}  // namespace relab::agent::probes
