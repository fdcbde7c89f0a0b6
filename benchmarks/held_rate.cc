// A client that holds a rate: sends one-row requests at even distances over connections that are kept, and measures each from the moment
// when it was due, so that what waits for a slow answer counts too. held_rate PORT PATH BODIES|- RATE SECONDS CONNECTIONS prints one JSON
// object (seconds); without bodies it asks by GET.
//
// A general client (vegeta) takes more than one of two cores at 10,000/s, and measures itself; this one takes about a third of a core.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{10};  // after the last request was due

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "held_rate: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

struct Connection {
  int socket = -1;
  Clock::time_point due;
  std::string answer;
};

// A whole answer's status, or 0 while there is more to come. Everlearn and its peers always say the length.
int StatusOf(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  std::string head = answer.substr(0, end);
  std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const size_t length = head.find("\r\ncontent-length:");
  if (length == std::string::npos) return -1;
  if (answer.size() < end + 4 + std::strtoul(head.c_str() + length + 17, nullptr, 10)) return 0;
  return std::atoi(head.c_str() + 9);
}

class Client {
 public:
  Client(int port, std::vector<std::string> requests, int connections) : requests_(std::move(requests)), connections_(connections) {
    prctl(PR_SET_TIMERSLACK, 1);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < connections_.size(); ++i) Connect(port, i);
  }

  void Run(double rate, double seconds) {
    const size_t count = static_cast<size_t>(rate * seconds);
    const auto start = Clock::now();
    const auto due = [&](size_t k) { return start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(k / rate)); };
    const auto last = due(count) + kPatience;
    for (size_t sent = 0; answered_ < count;) {
      const auto now = Clock::now();
      if (now > last) break;
      for (; sent < count && !idle_.empty() && due(sent) <= now; ++sent) Send(sent, due(sent));
      Wait(sent < count && !idle_.empty() ? std::max(due(sent) - Clock::now(), Clock::duration(0))
                                          : Clock::duration(std::chrono::milliseconds(100)));
    }
    unanswered_ = count - answered_;
    reached_ = static_cast<double>(answered_) / std::chrono::duration<double>(Clock::now() - start).count();
  }

  void Print() {
    std::sort(times_.begin(), times_.end());
    const auto quantile = [&](double q) {
      return times_.empty() ? NAN : times_[static_cast<size_t>(q * static_cast<double>(times_.size() - 1))];
    };
    std::printf("{\"p50\": %.6f, \"p99\": %.6f, \"p999\": %.6f, \"errors\": %zu, \"rate\": %.0f}\n", quantile(0.5), quantile(0.99),
                quantile(0.999), errors_ + unanswered_, reached_);
  }

 private:
  void Connect(int port, size_t i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (made < 0 || connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Fail("connect");
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, made, &event);
    connections_[i].socket = made;
    idle_.push_back(i);
  }

  void Send(size_t k, Clock::time_point due) {
    Connection& connection = connections_[idle_.front()];
    idle_.pop_front();
    connection.due = due;
    const std::string& request = requests_[k % requests_.size()];
    if (send(connection.socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) Fail("send");
  }

  void Wait(Clock::duration time) {
    const auto whole = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    const timespec limit{whole / 1'000'000'000, whole % 1'000'000'000};
    epoll_event events[64];
    const int ready = epoll_pwait2(epoll_, events, 64, &limit, nullptr);
    for (int i = 0; i < ready; ++i) Receive(events[i].data.u64);
  }

  void Receive(size_t i) {
    Connection& connection = connections_[i];
    char bytes[16384];
    const ssize_t got = recv(connection.socket, bytes, sizeof bytes, 0);
    if (got <= 0) Fail("the server closed a connection");
    connection.answer.append(bytes, static_cast<size_t>(got));
    const int status = StatusOf(connection.answer);
    if (status == 0) return;
    times_.push_back(std::chrono::duration<double>(Clock::now() - connection.due).count());
    ++answered_;
    errors_ += status != 200;
    connection.answer.clear();
    idle_.push_back(i);
  }

  std::vector<std::string> requests_;
  std::vector<Connection> connections_;
  std::deque<size_t> idle_;
  std::vector<double> times_;
  int epoll_ = -1;
  size_t answered_ = 0, errors_ = 0, unanswered_ = 0;
  double reached_ = 0;
};

std::vector<std::string> Requests(const std::string& port, const std::string& path, const std::string& bodies) {
  const std::string host = " HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n";
  if (bodies == "-") return {"GET " + path + host + "\r\n"};
  std::vector<std::string> requests;
  std::ifstream file(bodies);
  for (std::string body; std::getline(file, body);)
    requests.push_back("POST " + path + host + "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body);
  if (requests.empty()) Fail(bodies + " holds no request");
  return requests;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 7) {
    std::fprintf(stderr, "usage: held_rate PORT PATH BODIES|- RATE SECONDS CONNECTIONS\n");
    return 2;
  }
  Client client(std::atoi(arguments[1]), Requests(arguments[1], arguments[2], arguments[3]), std::atoi(arguments[6]));
  client.Run(std::atof(arguments[4]), std::atof(arguments[5]));
  client.Print();
}
