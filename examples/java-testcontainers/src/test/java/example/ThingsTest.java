package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An API's check of access tokens, with nimbus-jose-jwt, against good tokens and the whole catalogue of wrong ones. */
class ThingsTest {
    private static final String AUDIENCE = "https://things.example/api";
    /** nimbus-jose-jwt makes a string of a `sub` that is a number. */
    private static final List<String> KNOWN_GAPS = List.of("number-subject");
    private static final Understudy UNDERSTUDY = new Understudy("understudy");
    private Understudy.Tenant tenant;
    private DefaultJWTProcessor<SecurityContext> api;

    @BeforeAll
    static void start() {
        UNDERSTUDY.start();
    }

    @AfterAll
    static void stop() {
        UNDERSTUDY.stop();
    }

    @BeforeEach
    void configure() throws Exception {
        tenant = UNDERSTUDY.tenant();
        tenant.post("apis", Map.of("identifier", AUDIENCE, "scopes", List.of(Map.of("value", "read:things"))));
        var keys = JWKSourceBuilder.create(URI.create(tenant.jwksUri).toURL()).build();
        api = new DefaultJWTProcessor<>();
        api.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, keys));
        api.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt")));
        var exact = new JWTClaimsSet.Builder().issuer(tenant.issuer).build();
        api.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(AUDIENCE, exact, Set.of("sub", "exp", "iat")));
    }

    /** What the API answers: 200, 401, or 403 without the scope. */
    private int ask(String token) {
        if (token.length() > 8192) {
            return 431; // no server takes so long a header
        }
        try {
            var scope = api.process(token, null).getStringClaim("scope");
            return scope != null && List.of(scope.split(" ")).contains("read:things") ? 200 : 403;
        } catch (Exception refused) {
            return 401;
        }
    }

    @Test
    void takesAGoodToken() throws Exception {
        var order = Map.of("subject", "auth0|alice", "audience", AUDIENCE, "scope", "read:things");
        assertEquals(200, ask(tenant.post("tokens", order).get("access_token").asText()));
    }

    @Test
    void wantsTheScope() throws Exception {
        var order = Map.of("subject", "auth0|alice", "audience", AUDIENCE);
        assertEquals(403, ask(tenant.post("tokens", order).get("access_token").asText()));
    }

    @Test
    void refusesEveryWrongToken() throws Exception {
        var order = Map.of("audience", AUDIENCE, "scope", "read:things");
        var wrong = tenant.post("wrong-tokens", order);
        assertTrue(wrong.size() >= 40);
        var accepted = new ArrayList<String>();
        for (var each : wrong) {
            if (ask(each.get("token").asText()) == 200) {
                accepted.add(each.get("name").asText());
            }
        }
        assertEquals(KNOWN_GAPS, accepted);
    }
}
