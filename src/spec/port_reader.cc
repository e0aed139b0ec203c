#include "spec/port_reader.h"

#include <algorithm>
#include <set>

#include "spec/keys.h"

namespace isoenv {
namespace {

const char* protocol_name(Protocol protocol) { return protocol == Protocol::kUdp ? "UDP" : "TCP"; }

PortSpec read_port(const std::string& name, const Field& field, Faults& faults) {
  const std::string automatic = "write \"auto\" to have one assigned";
  PortSpec port;
  port.name = name;
  if (field.node.kind != JsonNode::Kind::kString) {
    port.number = read_port_number(field, faults, automatic).value_or(0);
    return port;
  }
  const std::string& text = field.node.text;
  const std::size_t slash = text.find('/');
  const std::string number = text.substr(0, slash);
  if (slash != std::string::npos) {
    const std::string word = text.substr(slash + 1);
    if (word == "udp") {
      port.protocol = Protocol::kUdp;
    } else if (word != "tcp") {
      faults.push_back(
          {field.where, "unknown protocol " + in_quotes(word), suggest(word, protocol_words())});
    }
  }
  if (number != "auto") port.number = port_number(number, field.where, faults, automatic);
  return port;
}

}  // namespace

const std::vector<std::string>& protocol_words() {
  static const std::vector<std::string> words = {"tcp", "udp"};
  return words;
}

std::vector<PortSpec> read_ports(const Field& field, Faults& faults) {
  std::vector<PortSpec> ports;
  if (!is_object(field, faults)) return ports;
  for (const JsonMember& member : field.node.members) {
    const std::string where = key_path(field.where, member.name);
    check_name(member.name, "port", where, faults);
    const PortSpec port = read_port(member.name, {member.value, where}, faults);
    const auto same = std::find_if(ports.begin(), ports.end(), [&](const PortSpec& other) {
      return port.number != 0 && other.number == port.number && other.protocol == port.protocol;
    });
    if (same != ports.end()) {
      faults.push_back({where,
                        std::string(protocol_name(port.protocol)) + " port " +
                            std::to_string(port.number) + " is already '" + same->name + "'",
                        "give each port a number of its own, or remove one name"});
    }
    ports.push_back(port);
  }
  check_count(ports.size(), "ports", field.where, faults);
  return ports;
}

std::vector<ForwardSpec> read_forwards(const Field& field, bool allow_auto, Faults& faults) {
  std::vector<ForwardSpec> forwards;
  if (field.node.kind == JsonNode::Kind::kArray) {
    std::set<std::string> seen;
    const std::vector<std::string> names = read_texts(field, faults, /*allow_empty=*/false);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty() && !seen.insert(names[i]).second) {
        faults.push_back({index_path(field.where, i), in_quotes(names[i]) + " stands twice",
                          "remove one of them"});
      }
      forwards.push_back({names[i], 0, false});
    }
    return forwards;
  }
  if (field.node.kind != JsonNode::Kind::kObject) {
    expected(field, "an object or a list", faults, "write {\"PORT\": 8080} or [\"PORT\"]");
    return forwards;
  }
  for (const JsonMember& member : field.node.members) {
    const Field value{member.value, key_path(field.where, member.name)};
    ForwardSpec forward;
    forward.port = member.name;
    if (value.node.kind == JsonNode::Kind::kString && value.node.text == "auto") {
      forward.automatic = true;
      if (!allow_auto) {
        faults.push_back({value.where, "\"auto\" is only for 'publish'",
                          "write a number, or [\"" + member.name + "\"] for the port's own"});
      }
    } else {
      forward.number = read_port_number(value, faults).value_or(0);
    }
    forwards.push_back(forward);
  }
  return forwards;
}

void check_port(const ServiceSpec& service, const std::string& port, Protocol protocol,
                const std::string& where, const std::string& reason, Faults& faults) {
  std::vector<std::string> names;
  for (const PortSpec& candidate : service.ports) {
    if (candidate.name == port) {
      if (candidate.protocol != protocol) {
        faults.push_back(
            {where, reason + ", but '" + port + "' is " + protocol_name(candidate.protocol), ""});
      }
      return;
    }
    names.push_back(candidate.name);
  }
  faults.push_back({where, in_quotes(port) + " is not a port of '" + service.name + "'",
                    names.empty() ? "declare it under 'ports'" : suggest(port, names)});
}

void check_forwards(const ServiceSpec& service, const std::vector<ForwardSpec>& forwards,
                    const std::string& where, Faults& faults) {
  for (const ForwardSpec& forward : forwards) {
    if (forward.port.empty()) continue;
    check_port(service, forward.port, Protocol::kTcp, key_path(where, forward.port),
               "only TCP ports can be forwarded", faults);
  }
}

}  // namespace isoenv
