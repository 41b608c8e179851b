// Sends whatever a controller could send, and much that none should: a test's hand on the wire.
//
// Reads commands from its input, one a line, and writes each answer as a line of JSON. `sync` asks
// for a hello: answers come in order, so that whatever was to come before it has come by then.
//
//   sync                        wait for a hello; prints everything that came before it, and it
//   order KEY=VALUE...          sign an order and send it; see `make_order`
//   repeat                      send the last frame once more
//   flip BYTE BIT               send the last order with one bit changed
//   cut BYTES                   send only the beginning of the last order
//   size BYTES                  send that many bytes of noise
//   cancel TASK                 ask for the end of a task
//   await TASK                  wait for the report of a task, without acknowledging it
//   ack TASK                    acknowledge the report of a task that was seen

#include <fmt/format.h>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <zmq.hpp>

#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/crypto/sealed_secret.h"
#include "common/needs/approval.h"
#include "common/wire/envelope.h"
#include "controller/keys/key_file.h"
#include "controller/link/client.h"
#include "controller/run/book.h"

namespace relab {

namespace {

using controller::Client;

constexpr auto patience = std::chrono::seconds(30);

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "relab-forge: " << why << "\n";
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().sentence());
  return std::move(*result);
}

using Words = std::map<std::string, std::string>;

/// "a=b c=d" as a map; a word without "=" is "true".
Words words_of(std::istringstream& line) {
  Words words;
  for (std::string word; line >> word;) {
    const auto at = word.find('=');
    words[word.substr(0, at)] = at == std::string::npos ? "true" : word.substr(at + 1);
  }
  return words;
}

std::string word(const Words& words, const std::string& name, const std::string& absent) {
  const auto found = words.find(name);
  return found == words.end() ? absent : found->second;
}

long number(const Words& words, const std::string& name, long absent) {
  return must(parse_number<long>(word(words, name, std::to_string(absent))));
}

Bytes bytes(const Words& words, const std::string& name, ByteView absent) {
  const auto text = word(words, name, hex(absent));
  const auto parsed = parse_hex(text);
  if (!parsed) give_up(fmt::format("{} is no hexadecimal number: {}", name, text));
  return *parsed;
}

class Forger {
 public:
  Forger(std::string lab, crypto::Keys keys, controller::AgentRecord agent)
      : lab_(std::move(lab)),
        keys_(std::move(keys)),
        agent_(std::move(agent)),
        client_(context_, {.endpoint = agent_.endpoint,
                           .server_key_z85 = crypto::z85(agent_.party.curve_key),
                           .own_public_z85 = crypto::z85(keys_.curve_key()),
                           .own_secret_z85 = keys_.curve_secret_z85()}) {}

  void obey(const std::string& text);

 private:
  void sync();
  void send(ByteView frame);
  void send_order(const Words& words);
  void send_flipped(std::size_t byte, unsigned bit);
  void await_report(const TaskId& task);
  void acknowledge(const TaskId& task);
  /// Takes frames, prints them, until one satisfies the predicate.
  template <typename Predicate>
  void take_until(const std::string& what, Predicate predicate);
  void print(const Opened& opened);
  Message<schema::Order> make_order(const Words& words) const;
  void ground(const Words& words, schema::Order::Builder order) const;
  void seal(const Words& words, schema::Order::Builder order) const;

  std::string lab_;
  crypto::Keys keys_;
  crypto::Keys stranger_ = crypto::Keys::make();
  controller::AgentRecord agent_;
  zmq::context_t context_;
  Client client_;
  Bytes nonce_;
  Bytes last_;
  std::map<TaskId, crypto::Digest> reports_;
  std::map<TaskId, Bytes> envelopes_;
};

template <typename Predicate>
void Forger::take_until(const std::string& what, Predicate predicate) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    zmq::pollitem_t items[] = {{client_.frames_handle(), 0, ZMQ_POLLIN, 0},
                               {client_.events_handle(), 0, ZMQ_POLLIN, 0}};
    zmq::poll(items, 2, Millis(50));
    client_.tend();
    while (const auto frame = client_.receive()) {
      auto opening = open_frame(*frame, message_size_max,
                                [&](const auto& key) { return key == agent_.party.sign_key; });
      if (!opening.opened) give_up("the agent sent what does not verify");
      print(*opening.opened);
      if (predicate(&*opening.opened)) return;
    }
    if (predicate(nullptr)) return;
  }
  give_up("waited in vain for " + what);
}

/// A connection that broke meanwhile (the agent cuts off what is too big) is greeted anew.
void Forger::sync() {
  Bytes challenge(16);
  randombytes_buf(challenge.data(), challenge.size());
  unsigned greeted = 0;
  take_until("a hello", [&](const Opened* opened) {
    if (opened == nullptr && client_.up() && client_.generation() != greeted) {
      greeted = client_.generation();
      Draft<schema::Attach> attach;
      attach->setLab(lab_);
      attach->setChallenge(blob(challenge));
      send(sign(keys_, std::move(attach).finish()).bytes());
    }
    if (opened == nullptr || !opened->is<schema::Hello>()) return false;
    const auto hello = must(opened->as<schema::Hello>());
    const auto nonce = view(hello.reader().getNonce());
    nonce_ = Bytes(nonce.begin(), nonce.end());
    return crypto::equal(view(hello.reader().getChallenge()), challenge);
  });
}

void Forger::send(ByteView frame) {
  // What cannot be sent now because the connection was cut off is the next hello's business.
  static_cast<void>(client_.send(frame).has_value());
}

/// As a controller does that has the keys and no conscience: `evidence` names a task whose report
/// was seen, `approved` makes it approve of its own order.
void Forger::ground(const Words& words, schema::Order::Builder order) const {
  order.initTask().initWipeDisk().setSerial(word(words, "serial", "OLD1"));
  crypto::Digest digest{};
  if (words.contains("evidence")) {
    const auto task = must(TaskId::from(bytes(words, "evidence", {})));
    const auto& envelope = envelopes_.at(task);
    digest = payload_digest(envelope);
    order.initEvidence(1).set(0, blob(envelope));
  }
  if (!words.contains("approved")) return;
  Draft<schema::Approval> approval;
  approval->setLab(lab_);
  approval->setNotAfter(order.getNotAfter());
  approval->initTyped(1).set(0, agent_.name);
  auto step = approval->initSteps(1)[0];
  step.setStep(order.getStep());
  step.setAudience(order.asReader().getAudience());
  step.setTaskDigest(blob(needs::digest_of(order.asReader().getTask())));
  step.initEvidence(1).set(0, blob(digest));
  approval->setEvidenceDigest(blob(needs::digest_of_evidence(approval->asReader().getSteps())));
  order.setApproval(blob(sign(keys_, std::move(approval).finish()).bytes()));
}

/// Names the secret "tank-key"; `secret` is the value that it brings along, sealed as if for the
/// task `sealed_for`.
void Forger::seal(const Words& words, schema::Order::Builder order) const {
  auto task = order.initTask().initZfsKeyCheck();
  task.setDataset("tank");
  task.setKey("tank-key");
  if (!words.contains("secret")) return;
  const auto id = bytes(words, "sealed_for", view(order.asReader().getTaskId()));
  auto sealed = order.initSecrets(1)[0];
  sealed.setName("tank-key");
  sealed.setBox(
      blob(crypto::seal_secret(agent_.party.seal_key, {.lab = lab_, .task = id, .name = "tank-key"},
                               crypto::Secret::of(bytes_of(word(words, "secret", ""))))));
}

Message<schema::Order> Forger::make_order(const Words& words) const {
  const auto now = wall_clock();
  Draft<schema::Order> order;
  order->setLab(word(words, "lab", lab_));
  order->setRun(blob(bytes(words, "run", RunId::make(now).bytes)));
  order->setTaskId(blob(bytes(words, "id", TaskId::make(now).bytes)));
  order->setAttempt(static_cast<std::uint32_t>(number(words, "attempt", 1)));
  order->setAudience(blob(bytes(words, "audience", agent_.party.sign_key)));
  order->setNonce(blob(bytes(words, "nonce", nonce_)));
  order->setIssuedAt(unix_millis(now));
  order->setNotAfter(unix_millis(now + Millis(number(words, "good_for_ms", 60'000))));
  order->setDeadline(static_cast<std::uint32_t>(number(words, "deadline", 60)));
  const auto mode = word(words, "mode", "apply");
  order->setMode(mode == "apply"   ? schema::Mode::APPLY
                 : mode == "check" ? schema::Mode::CHECK
                                   : schema::Mode::UNSET);
  order->setStep("forged/step");
  const auto kind = word(words, "kind", "ping");
  if (kind == "ping")
    order->initTask().initPing().setEcho(
        std::string(static_cast<std::size_t>(number(words, "pad", 0)), 'x') +
        word(words, "echo", ""));
  if (kind == "wipeDisk") ground(words, *order);
  if (kind == "zfsKeyCheck") seal(words, *order);
  if (kind == "auditDisks") order->initTask().initAuditDisks();
  if (kind == "auditZfs") order->initTask().initAuditZfs();
  return std::move(order).finish();
}

void Forger::send_order(const Words& words) {
  const auto order = make_order(words);
  const auto& keys = word(words, "key", "own") == "own" ? keys_ : stranger_;
  const auto type = word(words, "type", std::string(PayloadType<schema::Order>::name));
  const auto envelope = sign_payload(keys, type, order.bytes());
  last_.assign(envelope.bytes().begin(), envelope.bytes().end());
  std::cout << nlohmann::json{{"sent", last_.size()},
                              {"task", hex(view(order.reader().getTaskId()))},
                              {"digest", hex(crypto::digest(order.bytes()))}}
            << "\n";
  send(last_);
}

void Forger::send_flipped(std::size_t byte, unsigned bit) {
  if (byte >= last_.size()) give_up("the frame is not as long");
  auto altered = last_;
  altered[byte] = static_cast<std::uint8_t>(altered[byte] ^ (1U << bit));
  send(altered);
}

void Forger::await_report(const TaskId& task) {
  if (reports_.contains(task)) return;
  take_until("the report of " + task.text(),
             [&](const Opened* /*opened*/) { return reports_.contains(task); });
}

void Forger::acknowledge(const TaskId& task) {
  Draft<schema::Ack> ack;
  ack->setTaskId(blob(task.bytes));
  ack->setReportDigest(blob(reports_.contains(task) ? reports_.at(task) : crypto::Digest{}));
  send(sign(keys_, std::move(ack).finish()).bytes());
}

void Forger::print(const Opened& opened) {
  nlohmann::json line;
  if (opened.is<schema::Hello>()) {
    const auto hello = must(opened.as<schema::Hello>());
    line = {{"answer", "hello"}, {"held", hello.reader().getTasks().size()}};
  } else if (opened.is<schema::Receipt>()) {
    const auto receipt = must(opened.as<schema::Receipt>());
    line = nlohmann::json::parse(receipt.to_json());
    line["answer"] = "receipt";
    line["task"] = hex(view(receipt.reader().getTaskId()));
    line["digest"] = hex(view(receipt.reader().getOrderDigest()));
  } else if (opened.is<schema::Report>()) {
    const auto report = must(opened.as<schema::Report>());
    const auto task = must(TaskId::from(view(report.reader().getTaskId())));
    reports_[task] = opened.digest;
    const auto envelope = opened.envelope.bytes();
    envelopes_[task] = Bytes(envelope.begin(), envelope.end());
    const auto json = nlohmann::json::parse(report.to_json());
    line = {{"answer", "report"},
            {"task", hex(task.bytes)},
            {"outcome", json.at("outcome")},
            {"failure", json.value("failure", nlohmann::json::object())},
            {"digest", hex(view(report.reader().getOrderDigest()))}};
  } else {
    line = {{"answer", opened.type()}};
  }
  std::cout << line << "\n";
}

TaskId task_of(std::istringstream& line) {
  std::string text;
  line >> text;
  const auto parsed = parse_hex(text);
  if (!parsed) give_up("no task id: " + text);
  return must(TaskId::from(*parsed));
}

void Forger::obey(const std::string& text) {
  std::istringstream line(text);
  std::string verb;
  std::size_t size = 0;
  line >> verb;
  if (verb.empty()) return;
  if (verb == "sync") {
    sync();
  } else if (verb == "order") {
    send_order(words_of(line));
  } else if (verb == "repeat") {
    send(last_);
  } else if (verb == "flip") {
    unsigned bit = 0;
    line >> size >> bit;
    send_flipped(size, bit);
  } else if (verb == "cut") {
    line >> size;
    send(ByteView(last_).first(std::min(size, last_.size())));
  } else if (verb == "size") {
    line >> size;
    Bytes noise(size);
    if (size > 0) randombytes_buf(noise.data(), noise.size());
    send(noise);
  } else if (verb == "cancel") {
    Draft<schema::Cancel> cancel;
    cancel->setTaskId(blob(task_of(line).bytes));
    cancel->setNonce(blob(nonce_));
    send(sign(keys_, std::move(cancel).finish()).bytes());
  } else if (verb == "await") {
    await_report(task_of(line));
  } else if (verb == "ack") {
    acknowledge(task_of(line));
  } else {
    give_up("no such command: " + verb);
  }
}

int forge(int argc, char** argv) {
  if (argc != 5) give_up("usage: relab-forge KEY-FILE PASSPHRASE-FILE LEDGER AGENT");
  crypto::start();
  const auto text = must(read_small_file(argv[2]));
  const auto passphrase = crypto::Secret::of(bytes_of(trim(text)));
  auto keys = must(controller::load_keys(argv[1], passphrase));
  const auto book = must(controller::Book::open_read_only(argv[3]));
  const auto agent = book.state().agents().find(argv[4]);
  if (agent == book.state().agents().end()) give_up("no such agent in the ledger");
  Forger forger(book.state().lab(), std::move(keys), agent->second);
  for (std::string line; std::getline(std::cin, line);) {
    forger.obey(line);
    std::cout << std::flush;
  }
  return 0;
}

}  // namespace

}  // namespace relab

int main(int argc, char** argv) try {
  return relab::forge(argc, argv);
} catch (const std::exception& error) {
  std::cerr << "relab-forge: " << error.what() << "\n";
  return 1;
}
