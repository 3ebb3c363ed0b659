//! Tokens as the usual platforms issue them, with the roles that one writes for them.

use serde_json::json;

use super::signer::Signer;
use super::*;

/// Who logs in with `token` at `role`, once with these claims and once with each of `others` in their place.
async fn check(role: Value, token: &Value, alias: &str, others: &[Value]) {
    let signer = Signer::new("RS256", "k");
    let harness = with_role(&signer, role).await;
    let attempt = async |more: &Value| {
        let mut claims = token.clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({"role": "dev", "jwt": signer.sign(&claims)});
        log_in(&harness, body).await.map(|login| login.identity.alias)
    };
    assert_eq!(attempt(&json!({})).await.unwrap(), alias);
    for other in others {
        assert!(attempt(other).await.is_err(), "{other}");
    }
}

#[tokio::test]
async fn gitlab() {
    let token = json!({
        "namespace_id": "72", "namespace_path": "my-group", "project_id": "20", "project_path": "my-group/my-project",
        "user_id": "1", "user_login": "sample-user", "user_email": "sample-user@example.com", "user_access_level": "developer",
        "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "release-1", "ref_type": "branch",
        "ref_path": "refs/heads/release-1", "ref_protected": "true", "groups_direct": ["my-group", "other"],
        "runner_id": 1, "runner_environment": "self-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "project_visibility": "private", "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b", "iat": NOW, "nbf": NOW - 5,
        "exp": NOW + 3600, "iss": "https://gitlab.example.com", "aud": "https://vault.example.com",
        "sub": "project_path:my-group/my-project:ref_type:branch:ref:release-1",
    });
    let role = json!({
        "user_claim": "project_path", "bound_audiences": "https://vault.example.com", "bound_claims_type": "glob",
        "bound_claims": {"project_id": "20", "ref": ["main", "release-*"], "ref_protected": "true"},
        "groups_claim": "groups_direct", "claim_mappings": {"user_login": "user"},
    });
    let others = [
        json!({"project_id": "2"}),
        json!({"project_id": "200"}),
        json!({"ref": "feature/release-1"}),
        json!({"ref_protected": "false"}),
        json!({"ref_protected": true}),
        json!({"aud": "https://gitlab.example.com"}),
    ];
    check(role, &token, "my-group/my-project", &others).await;
}

#[tokio::test]
async fn github_actions() {
    let token = json!({
        "jti": "example-id", "sub": "repo:octo-org/octo-repo:environment:prod", "environment": "prod",
        "aud": "https://github.com/octo-org", "ref": "refs/heads/main", "sha": "example-sha",
        "repository": "octo-org/octo-repo", "repository_owner": "octo-org", "actor_id": "12", "repository_visibility": "private",
        "repository_id": "74", "repository_owner_id": "65", "run_id": "example-run-id", "run_number": "10",
        "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat", "workflow": "example-workflow",
        "head_ref": "", "base_ref": "", "event_name": "workflow_dispatch", "ref_type": "branch",
        "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
        "iss": "https://token.actions.githubusercontent.com", "nbf": NOW - 600, "exp": NOW + 300, "iat": NOW,
    });
    let role = json!({
        "user_claim": "actor", "bound_subject": "repo:octo-org/octo-repo:environment:prod",
        "bound_audiences": "https://github.com/octo-org",
        "bound_claims": {"repository_owner_id": "65", "ref": "refs/heads/main", "head_ref": ""},
    });
    let others = [
        json!({"sub": "repo:octo-org/octo-repo:environment:dev"}),
        json!({"sub": "repo:octo-org/octo-repo:environment:prod2"}),
        json!({"ref": "refs/pull/1/merge"}),
        json!({"repository_owner_id": 65}),
        json!({"head_ref": "evil"}),
        json!({"aud": ["https://github.com/other"]}),
    ];
    check(role, &token, "octocat", &others).await;
}

#[tokio::test]
async fn circleci() {
    let token = json!({
        "aud": "org-uuid", "exp": NOW + 3600, "iat": NOW, "iss": "https://oidc.circleci.com/org/org-uuid",
        "oidc.circleci.com/context-ids": ["context-1", "context-2"], "oidc.circleci.com/project-id": "project-uuid",
        "oidc.circleci.com/ssh-rerun": false, "oidc.circleci.com/vcs-origin": "github.com/org/repo",
        "oidc.circleci.com/vcs-ref": "refs/heads/main",
        "sub": "org/org-uuid/project/project-uuid/user/user-uuid/vcs-origin/github.com/org/repo/vcs-ref/refs/heads/main",
    });
    let role = json!({
        "user_claim": "oidc.circleci.com/project-id", "bound_audiences": "org-uuid",
        "bound_claims": {"/oidc.circleci.com~1context-ids": "context-2", "oidc.circleci.com/ssh-rerun": false},
    });
    let others = [
        json!({"oidc.circleci.com/context-ids": ["context-1"]}),
        json!({"oidc.circleci.com/ssh-rerun": true}),
        json!({"oidc.circleci.com/ssh-rerun": "false"}),
        json!({"aud": "other-uuid"}),
    ];
    check(role, &token, "project-uuid", &others).await;
}

#[tokio::test]
async fn kubernetes() {
    let token = json!({
        "aud": ["https://kubernetes.default.svc.cluster.local", "vault"], "exp": NOW + 31_536_000, "iat": NOW,
        "nbf": NOW, "iss": "https://kubernetes.default.svc.cluster.local", "jti": "a3f2",
        "kubernetes.io": {
            "namespace": "payments", "node": {"name": "node-1", "uid": "n"}, "pod": {"name": "api-1", "uid": "p"},
            "serviceaccount": {"name": "api", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"}, "warnafter": NOW + 3607,
        },
        "sub": "system:serviceaccount:payments:api",
    });
    let role = json!({
        "user_claim": "/kubernetes.io/serviceaccount/uid", "user_claim_json_pointer": true, "bound_audiences": "vault",
        "bound_subject": "system:serviceaccount:payments:api", "bound_claims": {"/kubernetes.io/namespace": "payments"},
    });
    let others = [
        json!({"sub": "system:serviceaccount:payments:apis"}),
        json!({"kubernetes.io": {"namespace": "other", "serviceaccount": {"uid": "x"}}}),
        json!({"kubernetes.io": {"namespace": "payments"}}),
        json!({"aud": ["https://kubernetes.default.svc.cluster.local"]}),
        json!({"exp": NOW - 3600, "iat": NOW - 7200, "nbf": NOW - 7200}),
    ];
    check(role, &token, "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798", &others).await;
}

/// The groups of whoever logs in with this claim at a provider that is said to be this.
async fn groups(provider: Value, more: Value) -> Result<Vec<String>, String> {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({"groups_claim": "groups"})).await;
    let config = json!({"jwt_validation_pubkeys": [signer.pem()], "provider_config": provider});
    write(&harness, "config", config).await.unwrap();
    assert_eq!(read(&harness, "config").await["provider_config"], provider);
    let body = json!({"role": "dev", "jwt": signer.sign(&claims(more))});
    log_in(&harness, body).await.map(|login| login.identity.groups).map_err(|error| error.to_string())
}

#[tokio::test]
async fn some_providers_write_groups_as_one_text() {
    for (provider, text, expected) in [
        (json!({}), "a,b c", &["a,b c"][..]),
        (json!({"provider": "azure"}), "a,b c", &["a,b c"]),
        (json!({"provider": "secureauth"}), ",b c,,a,b c", &["a", "b c"]),
        (json!({"provider": "secureauth"}), "a, b", &[" b", "a"]),
        (json!({"provider": "ibmisam", "extra": "x"}), " b  a,c b", &["a,c", "b"]),
        (json!({"provider": "ibmisam"}), "a\tb", &["a\tb"]),
        (json!({"provider": "ibmisam"}), "", &[]),
    ] {
        assert_eq!(groups(provider.clone(), json!({"groups": text})).await.unwrap(), expected, "{provider} {text:?}");
        let list = groups(provider.clone(), json!({"groups": ["b c", "a,b"]})).await.unwrap();
        assert_eq!(list, ["a,b", "b c"], "{provider}: a list is a list");
    }
    let left_out = json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}});
    let error = groups(json!({"provider": "azure"}), left_out.clone()).await.unwrap_err();
    assert!(error.contains("claim not found in token; it is left out"), "{error}");
    let error = groups(json!({}), left_out).await.unwrap_err();
    assert!(error.ends_with("claim not found in token"), "{error}");
}
