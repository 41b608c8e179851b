/// What an order costs from the ledger to the agent and back, beside the bare cost of each part, in
/// one run.
///
/// Usage: relab-bench RELAB_AGENT FOLDER [ROUNDS]; the folder must be on the file system that
/// matters. It starts one agent on loopback with journal and ledger in that folder, and ends it.
/// All figures are medians in microseconds.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <zmq.hpp>

#include "agent/trust/trust.h"
#include "common/store/database.h"
#include "controller/link/zmq_exchange.h"
#include "controller/run/book.h"
#include "controller/run/session.h"

namespace relab::controller {

namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto endpoint = "tcp://127.0.0.1:7499";
constexpr auto lab = "bench";

template <typename T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().sentence());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class Samples {
 public:
  template <typename Work>
  void time(Work work) {
    const auto begun = Clock::now();
    work();
    taken_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
  }
  double median() {
    std::ranges::sort(taken_);
    return taken_.empty() ? 0 : taken_[taken_.size() / 2];
  }

 private:
  std::vector<double> taken_;
};

Message<schema::Order> make_order(ByteView audience, ByteView nonce, const TaskId& task,
                                  const RunId& run) {
  Draft<schema::Order> order;
  order->setLab(lab);
  order->setRun(blob(run.bytes));
  order->setTaskId(blob(task.bytes));
  order->setAttempt(1);
  order->setAudience(blob(audience));
  order->setNonce(blob(nonce));
  order->setNotAfter(unix_millis(wall_clock() + std::chrono::minutes(10)));
  order->setDeadline(60);
  order->setMode(schema::Mode::APPLY);
  order->initTask().initPing().setEcho("bench");
  order->setStep("bench/ping/ping");
  return std::move(order).finish();
}

/// One agent of our own, ended with the object.
class AgentProcess {
 public:
  AgentProcess(const std::string& program, const fs::path& folder) {
    fs::create_directories(folder / "roles");
    std::ofstream(folder / "roles/bench.json") << R"({"name": "bench", "kinds": ["ping"]})";
    std::vector<std::string> argv = {
        program,  "run",   "--state-dir", folder / "agent", "--listen",    endpoint,
        "--role", "bench", "--roles-dir", folder / "roles", "--log-level", "off"};
    std::vector<char*> pointers;
    for (auto& argument : argv) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    if (::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, pointers.data(), environ) != 0)
      throw std::runtime_error("the agent does not start");
  }
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;
  ~AgentProcess() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
};

void wait_on(ZmqExchange& exchange, Session& session) {
  exchange.wait(-1, Millis(100));
  session.tend(now_of_system());
}

/// From the order in the ledger to its report in the ledger.
void round_trip(ZmqExchange& exchange, Book& book, Session& session, const crypto::Keys& keys,
                const RunId& run) {
  const auto task = TaskId::make(wall_clock());
  const auto envelope =
      sign(keys, make_order(session.agent().party.sign_key, session.greeting()->nonce, task, run));
  need(book.ordered(envelope.bytes()));
  need(session.send_frame(envelope.bytes()));
  for (;;) {
    wait_on(exchange, session);
    while (const auto opened = session.receive(now_of_system())) {
      if (!opened->is<schema::Report>()) continue;
      const auto report = need(opened->as<schema::Report>());
      need(book.state().task_of_report(*opened, report.reader()));
      need(book.received(opened->envelope.bytes()));
      Draft<schema::Ack> ack;
      ack->setTaskId(blob(task.bytes));
      ack->setReportDigest(blob(opened->digest));
      need(session.send(std::move(ack).finish()));
      return;
    }
  }
}

/// An echo of order and report sizes over CURVE on loopback, without anything else.
double bare_wire(std::size_t rounds, std::size_t out_size, std::size_t back_size) {
  zmq::context_t context;
  std::array<char, 41> server_public{};
  std::array<char, 41> server_secret{};
  std::array<char, 41> own_public{};
  std::array<char, 41> own_secret{};
  zmq_curve_keypair(server_public.data(), server_secret.data());
  zmq_curve_keypair(own_public.data(), own_secret.data());
  zmq::socket_t server(context, zmq::socket_type::router);
  server.set(zmq::sockopt::curve_server, true);
  server.set(zmq::sockopt::curve_secretkey, server_secret.data());
  server.bind("tcp://127.0.0.1:*");
  const auto address = server.get(zmq::sockopt::last_endpoint);
  std::jthread echo([&server, rounds, back_size] {
    const Bytes back(back_size, 1);
    for (std::size_t i = 0; i < rounds; ++i) {
      zmq::message_t route;
      zmq::message_t frame;
      static_cast<void>(server.recv(route));
      static_cast<void>(server.recv(frame));
      server.send(route, zmq::send_flags::sndmore);
      server.send(zmq::buffer(back), zmq::send_flags::none);
    }
  });
  zmq::socket_t client(context, zmq::socket_type::dealer);
  client.set(zmq::sockopt::curve_serverkey, server_public.data());
  client.set(zmq::sockopt::curve_publickey, own_public.data());
  client.set(zmq::sockopt::curve_secretkey, own_secret.data());
  client.connect(address);
  Samples samples;
  const Bytes out(out_size, 1);
  for (std::size_t i = 0; i < rounds; ++i)
    samples.time([&] {
      zmq::message_t frame;
      client.send(zmq::buffer(out), zmq::send_flags::none);
      static_cast<void>(client.recv(frame));
    });
  return samples.median();
}

/// One durable commit of about an order's size.
double bare_commit(const fs::path& folder, std::size_t rounds, const Bytes& body) {
  auto database = need(store::Database::open({.path = folder / "bare.db",
                                              .application_id = 1,
                                              .schema = "CREATE TABLE t(b BLOB)",
                                              .version = 1}));
  Samples samples;
  for (std::size_t i = 0; i < rounds; ++i)
    samples.time([&] {
      need(need(database.prepare("INSERT INTO t VALUES(?)")).bind(ByteView(body)).run());
    });
  return samples.median();
}

struct Signing {
  double sign;
  double verify;
};

Signing bare_signing(const crypto::Keys& keys, std::size_t rounds, const Bytes& body) {
  Samples signing;
  Samples verifying;
  for (std::size_t i = 0; i < rounds; ++i) {
    crypto::Signature signature{};
    signing.time([&] { signature = keys.sign(body); });
    verifying.time([&] {
      need(crypto::verify(keys.sign_key(), body, signature)
               ? Result<void>()
               : Result<void>(fail(Fault::damaged, "no")));
    });
  }
  return {.sign = signing.median(), .verify = verifying.median()};
}

struct World {
  crypto::Keys controller = crypto::Keys::make();
  Book book;
  AgentRecord agent;
};

World make_world(const fs::path& folder) {
  auto keys = crypto::Keys::make();
  auto book = need(Book::open(folder / "ledger.db"));
  need(book.begin(keys, "bench", lab));
  const auto agent_keys = need(agent::load_or_make_keys(folder / "agent"));
  auto trust = need(agent::Trust::load(folder / "agent"));
  need(trust.add(folder / "agent", *book.state().controller(), lab));
  // The agent tells its real machine id in its hello, and the session compares.
  std::string machine;
  std::ifstream("/etc/machine-id") >> machine;
  if (machine.size() != 32) machine = "key-" + hex(ByteView(agent_keys.sign_key()).first(14));
  need(book.enrolled(
      {.name = "bench",
       .endpoint = endpoint,
       .agent = need(read_identity(
           state_identity(agent_keys,
                          {.role = schema::Role::AGENT, .name = "bench", .machine_id = machine}),
           schema::Role::AGENT))}));
  auto record = book.state().agents().at("bench");
  return {.controller = std::move(keys), .book = std::move(book), .agent = std::move(record)};
}

int run(const std::string& program, const fs::path& folder, std::size_t rounds) {
  auto world = make_world(folder);
  const AgentProcess process(program, folder);
  ZmqExchange exchange;
  Session session(exchange, world.agent, world.controller, lab);
  for (int i = 0; i < 100 && !session.greeting(); ++i) {
    wait_on(exchange, session);
    while (session.receive(now_of_system())) {
    }
  }
  if (!session.greeting()) throw std::runtime_error(session.trouble().sentence());
  const auto run = RunId::make(wall_clock());
  Samples samples;
  for (std::size_t i = 0; i < rounds; ++i)
    samples.time([&] { round_trip(exchange, world.book, session, world.controller, run); });
  const Bytes body(600, 7);
  const auto commit = bare_commit(folder, rounds, body);
  const auto [signing, verifying] = bare_signing(world.controller, rounds, body);
  const auto wire = bare_wire(rounds, body.size(), body.size());
  // Order and report each into the ledger; the order and the report each into the journal.
  const auto parts = 4 * commit + wire + 2 * signing + 2 * verifying;
  const auto whole = samples.median();
  fmt::print("rounds {}\nround trip        {:9.1f} us\n", rounds, whole);
  fmt::print(
      "  4 durable commits {:7.1f} us (one: {:.1f})\n  wire, CURVE echo  {:7.1f} us\n  2 x sign, "
      "verify  {:7.1f} us (one: {:.1f}, {:.1f})\n",
      4 * commit, commit, wire, 2 * (signing + verifying), signing, verifying);
  fmt::print("unavoidable       {:9.1f} us\nratio             {:9.2f}\n", parts, whole / parts);
  return 0;
}

}  // namespace

}  // namespace relab::controller

int main(int argc, char** argv) try {
  relab::crypto::start();
  if (argc < 3) {
    fmt::print(stderr, "usage: relab-bench RELAB_AGENT FOLDER [ROUNDS]\n");
    return 2;
  }
  return relab::controller::run(argv[1], argv[2], argc > 3 ? std::stoul(argv[3]) : 300);
} catch (const std::exception& exception) {
  std::fprintf(stderr, "relab-bench: %s\n", exception.what());
  return 1;
}
