package example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.UUID;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** Understudy in a container, with its harness on. Waits for the health check that the image brings. */
final class Understudy extends GenericContainer<Understudy> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private final String token = UUID.randomUUID().toString();

    Understudy(String image) {
        super(image);
        withExposedPorts(9000);
        withEnv(Map.of(
            "AUTHSERVER_TESTING", "1",
            "AUTHSERVER_TESTING_TOKEN", token,
            "AUTHSERVER_HOST", "0.0.0.0",
            "AUTHSERVER_ALLOW_INSECURE_LISTEN", "1",
            "AUTHSERVER_ALLOW_INSECURE_TESTING", "1"));
        waitingFor(Wait.forHealthcheck());
    }

    String url() {
        return "http://localhost:" + getMappedPort(9000) + "/";
    }

    JsonNode call(String method, String path, Object body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(url() + "_testing/" + path))
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
            .build();
        var response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 400) {
            throw new IOException(method + " " + path + ": " + response.statusCode() + " " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /** A tenant of one test's own. The port outside may be any, so it is told under which address it is known. */
    Tenant tenant() throws IOException, InterruptedException {
        var made = call("POST", "tenants", Map.of("base_url", url()));
        return new Tenant(made.get("name").asText(), made.get("issuer").asText(), made.get("jwks_uri").asText());
    }

    final class Tenant {
        final String issuer;
        final String jwksUri;
        private final String name;

        private Tenant(String name, String issuer, String jwksUri) {
            this.name = name;
            this.issuer = issuer;
            this.jwksUri = jwksUri;
        }

        JsonNode post(String path, Object body) throws IOException, InterruptedException {
            return call("POST", "tenants/" + name + "/" + path, body);
        }
    }
}
