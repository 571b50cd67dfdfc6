using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>nginx on the lab's server host, before a server that it gives up after 5 s of silence.</summary>
internal static class Nginx
{
    /// <param name="lab">Where.</param>
    /// <param name="work">For its files.</param>
    /// <param name="port">Its own.</param>
    /// <param name="to">Whom it relays to: "address:port".</param>
    public static async Task<ChildProcess> StartAsync(NetworkLab lab, WorkFolder work, int port, string to)
    {
        string program = Requires.Server("nginx", "usr/sbin/nginx"), folder = work.Folder($"nginx-{port}"), configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            daemon off;
            user root;
            worker_processes 1;
            pid {{folder}}/nginx.pid;
            error_log stderr warn;
            events { worker_connections 64; }
            http {
              access_log off;
              client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy; fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi; scgi_temp_path {{folder}}/scgi;
              map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
              server {
                listen {{lab.Server.Address}}:{{port}};
                location / {
                  proxy_pass http://{{to}};
                  proxy_http_version 1.1;
                  proxy_set_header Upgrade $http_upgrade;
                  proxy_set_header Connection $connection_upgrade;
                  proxy_buffering off;
                  proxy_read_timeout 5s;
                  proxy_send_timeout 5s;
                }
              }
            }
            """, TestContext.Current.CancellationToken);
        ChildProcess nginx = await lab.Server.StartAsync([program, "-p", folder, "-e", "stderr", "-c", configuration]);
        await lab.Server.ListensAsync(port, nginx);
        return nginx;
    }
}
