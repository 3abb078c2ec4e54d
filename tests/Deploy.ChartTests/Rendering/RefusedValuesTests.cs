namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>Values that make no sense stop the install with a sentence that says what to change.</summary>
public sealed class RefusedValuesTests
{
    [Theory]
    [InlineData("monitoring: {serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}", "would scrape everything twice")]
    [InlineData("worker: {redis: {passwordKey: worker-password}}", "worker.redis.passwordKey needs redis.existingSecret")]
    [InlineData("{redis: {host: '', existingSecret: r, existingSecretKeys: {url: url}}, worker: {redis: {user: worker}}}", "exclude each other")]
    [InlineData("redis: {clusterNodes: ['b:6379']}", "redis.clusterNodes needs redis.cluster=true")]
    [InlineData("redis: {host: '', cluster: true, clusterNodes: ['b:6379'], existingSecret: r, existingSecretKeys: {url: url}}", "a URL in the Secret names the one node to start from")]
    [InlineData("redis: {cluster: true, database: 3}", "redis.database must be 0 on a cluster")]
    [InlineData("trialRedis: {enabled: true}", "trialRedis.enabled and redis.host (or a URL) exclude each other")]
    [InlineData("{redis: {host: '', tls: {enabled: true}}, trialRedis: {enabled: true}}", "trialRedis has neither TLS nor ACL users nor a cluster")]
    [InlineData("{redis: {host: '', cluster: true}, trialRedis: {enabled: true}}", "trialRedis has neither TLS nor ACL users nor a cluster")]
    [InlineData("{redis: {host: '', user: auth}, trialRedis: {enabled: true}}", "trialRedis has neither TLS nor ACL users nor a cluster")]
    [InlineData("{redis: {host: ''}, trialRedis: {enabled: true}, worker: {redis: {user: worker}}}", "trialRedis has neither TLS nor ACL users nor a cluster")]
    [InlineData("{redis: {host: ''}, trialRedis: {enabled: true}, webHost: {redis: {user: webhost}}}", "trialRedis has neither TLS nor ACL users nor a cluster")]
    [InlineData("redis: {tls: {enabled: true, certKey: tls.crt}}", "redis.tls.certKey needs redis.tls.existingSecret")]
    [InlineData("redis: {tls: {existingSecret: x, privateKeyKey: tls.key}}", "redis.tls.privateKeyKey needs redis.tls.certKey")]
    [InlineData("redis: {existingSecretKeys: {url: url}}", "redis.existingSecretKeys.url needs redis.existingSecret")]
    [InlineData("postgresql: {existingSecret: ''}", "the web host needs PostgreSQL")]
    [InlineData("postgresql: {existingSecret: '', archive: true}", "postgresql.archive needs")]
    [InlineData("postgresql: {sslMode: VerifyFull}", "needs the authorities in postgresql.tls.existingSecret")]
    [InlineData("worker: {token: {requiredEverywhere: true}}", "worker.token.requiredEverywhere needs worker.token.existingSecret")]
    [InlineData("worker: {extraEnv: [{name: Storage__Redis__Password, value: hunter2}]}", "looks like a secret")]
    [InlineData("webHost: {extraEnv: [{name: REDIS_URL, value: 'redis://:hunter2@redis'}]}", "looks like a secret")]
    [InlineData("webHost: {mail: {host: ''}}", "webHost.mail.host is empty")]
    [InlineData("webHost: {mail: {from: ''}}", "webHost.mail.from is empty")]
    [InlineData("webHost: {mail: {publicUrl: ''}}", "webHost.mail.publicUrl is empty or not https")]
    [InlineData("webHost: {mail: {publicUrl: 'http://auth.example.org'}}", "webHost.mail.publicUrl is empty or not https")]
    [InlineData("webHost: {mail: {existingSecret: smtp}}", "webHost.mail.existingSecret needs webHost.mail.user")]
    [InlineData("worker: {settings: {Storage: {Redis: {Deadline: '00:00:08'}}}}", "Storage.Redis.Deadline is 00:00:08; it must be below the 8 s")]
    [InlineData("worker: {settings: {Storage: {Redis: {Deadline: '00:01:00'}}}}", "Storage.Redis.Deadline is 00:01:00; it must be below the 8 s")]
    [InlineData("worker: {extraEnv: [{name: Storage__Redis__Deadline, value: '00:00:10'}]}", "Storage.Redis.Deadline is 00:00:10; it must be below the 8 s")]
    [InlineData("worker: {extraVolumes: [{name: tmp, emptyDir: {}}]}", "worker.extraVolumes: tmp is a volume of the chart")]
    [InlineData("webHost: {extraVolumes: [{name: data, emptyDir: {}}]}", "webHost.extraVolumes: data is a volume of the chart")]
    [InlineData("webHost: {extraVolumeMounts: [{name: authorities, mountPath: /etc/authorities}]}", "webHost.extraVolumeMounts: authorities is no volume; add it to webHost.extraVolumes")]
    [InlineData("worker: {podLabels: {app.kubernetes.io/component: mine}}", "worker.podLabels: app.kubernetes.io/component is a label by which the chart selects")]
    [InlineData("webHost: {drainSeconds: 40}", "webHost.terminationGracePeriodSeconds must be at least 10 above")]
    [InlineData("webHost: {autoscaling: {minReplicas: 20}}", "minReplicas is above maxReplicas")]
    [InlineData("webHost: {ingress: {enabled: true}}", "webHost.ingress.hosts is empty")]
    [InlineData("worker: {ingress: {enabled: true}}", "worker.ingress.hosts is empty")]
    [InlineData("worker: {ingress: {enabled: true, hosts: [{host: status.example.org}]}}", "worker.ingress would show the status page to everybody")]
    [InlineData("webHost: {httpRoute: {enabled: true}}", "webHost.httpRoute.parentRefs is empty")]
    [InlineData("worker: {enabled: false}\nwebHost: {enabled: false}", "there is nothing to install")]
    public async Task Contradictions_AreRefused(string values, string because) =>
        (await Should.ThrowAsync<ChartException>(() => Chart.RenderAsync([Chart.LeastValues, values]))).Message.ShouldContain(because);

    [Theory]
    [InlineData("redis: {password: hunter2}", "/redis/password")]
    [InlineData("worker: {settings: {Storage: {Redis: {Password: hunter2}}}}", "/worker/settings/Storage/Redis/Password")]
    [InlineData("worker: {replicaCount: 3}", "/worker/replicaCount")]
    [InlineData("worker: {terminationGracePeriodSeconds: 15}", "/worker/terminationGracePeriodSeconds")]
    [InlineData("worker: {settings: {Jobs: {SessionCleanup: {Schedul: '01:00:00'}}}}", "Schedul")]
    public async Task UnknownValues_AreRefusedBeforeAnythingIsRendered(string values, string where) =>
        (await Should.ThrowAsync<ChartException>(() => Chart.RenderAsync([Chart.LeastValues, values]))).Message.ShouldContain(where);

    [Theory]
    [InlineData("00:00:07.9")]
    [InlineData("00:00:00.25")]
    public async Task Deadline_BelowTheWorkersEnd_IsTaken(string deadline)
    {
        var manifests = await Chart.RenderAsync([Chart.LeastValues, $"worker: {{terminationGracePeriodSeconds: 16, settings: {{Storage: {{Redis: {{Deadline: '{deadline}'}}}}}}}}"]);
        manifests["ConfigMap", "maintenance-worker"].At("data")!["appsettings.Production.json"]!.ToString().ShouldContain($"\"Deadline\": \"{deadline}\"");
    }

    [Fact]
    public async Task WithoutValues_ItSaysEverythingThatIsMissing_AtOnce()
    {
        var message = (await Should.ThrowAsync<ChartException>(() => Chart.RenderAsync("redis: {host: ''}"))).Message;
        message.ShouldContain("redis.host is empty");
        message.ShouldContain("the web host needs PostgreSQL");
    }

    [Fact]
    public async Task Renderer_RefusesAFunctionThatHelmDoesNotHave()
    {
        using var chart = new TemporaryFolder();
        chart.Write("Chart.yaml", "name: x\nversion: 1.0.0\n");
        chart.Write("values.yaml", "a: 1\n");
        chart.Write("templates/x.yaml", "x: {{ env \"HOME\" }}\n");
        (await Should.ThrowAsync<ChartException>(() => HelmRender.RunAsync([], chart.Path))).Message.ShouldContain("function \"env\" not defined");
        chart.Write("templates/x.yaml", "x: {{ .Values.b }}\n");
        (await Should.ThrowAsync<ChartException>(() => HelmRender.RunAsync([], chart.Path))).Message.ShouldContain("prints a value that is not there");
    }

    [Fact]
    public async Task Renderer_DoesWhatHelmDoes()
    {
        using var chart = new TemporaryFolder();
        chart.Write("Chart.yaml", "name: x\nversion: 1.0.0\nappVersion: 2.0.0\n");
        chart.Write("values.yaml", "number: 1000000\nport: 8081\nmap: {b: 2, a: [1, x]}\ngone: 1\ntext: '{{ .Values.port }}'\n");
        chart.Write("files/a.txt", "raw {{ text }}");
        chart.Write("above.yaml", "gone: null\nmap: {c: true}\n");
        chart.Write("templates/_p.tpl", "{{ define \"p\" }}{{ .port }}{{ end }}");
        chart.Write("templates/x.yaml", """
            include: {{ include "p" .Values }}
            tpl: {{ tpl .Values.text . }}
            yaml: {{ toYaml .Values.map | nindent 2 }}
            json: {{ .Values.map | toJson }}
            big: {{ .Values.number }}
            gone: {{ hasKey .Values "gone" }}
            file: {{ .Files.Get "files/a.txt" | quote }}
            from: {{ (fromYaml "a: {b: 3}").a.b }}
            app: {{ .Chart.AppVersion }}
            has: {{ .Capabilities.APIVersions.Has "batch/v1" }} {{ .Capabilities.APIVersions.Has "x/v1" }}
            lookup: {{ lookup "v1" "Secret" "a" "b" | len }}
            """);
        (await HelmRender.RunAsync(["-f", chart.In("above.yaml")], chart.Path)).ShouldBe("""
            ---
            # Source: x/templates/x.yaml
            include: 8081
            tpl: 8081
            yaml: 
              a:
              - 1
              - x
              b: 2
              c: true
            json: {"a":[1,"x"],"b":2,"c":true}
            big: 1e+06
            gone: false
            file: "raw {{ text }}"
            from: 3
            app: 2.0.0
            has: true false
            lookup: 0
            """);
    }
}
